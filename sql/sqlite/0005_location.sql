-- Where each person was last, and whose copies in Redis are to be removed.

CREATE TABLE location (
    account     TEXT    NOT NULL,
    openid      TEXT    NOT NULL,
    latitude    REAL    NOT NULL,              -- degrees, WGS 84 or GCJ-02 as the platform sends it
    longitude   REAL    NOT NULL,
    "precision" REAL,                          -- metres
    at          TEXT    NOT NULL,              -- when the person was there
    expires_at  INTEGER NOT NULL,              -- not shown from then on, and deleted
    cell        INTEGER NOT NULL,              -- a twentieth of a degree each way: what a radius is looked for by
    copied      INTEGER NOT NULL DEFAULT 0,    -- whether Redis has this state
    tidy_at     INTEGER NOT NULL,              -- when it is looked at for what has expired
    PRIMARY KEY (account, openid)
) STRICT, WITHOUT ROWID;
CREATE INDEX location_cell ON location (account, cell);
CREATE INDEX location_tidy ON location (tidy_at);
CREATE INDEX location_uncopied ON location (copied) WHERE copied = 0;

CREATE TABLE location_gone (
    account TEXT    NOT NULL,
    openid  TEXT    NOT NULL,
    at      TEXT    NOT NULL,                  -- positions up to then are forgotten
    gone_at INTEGER NOT NULL,                  -- when that was written
    due_at  INTEGER,                           -- when the copy is removed from Redis (again); NULL: it is gone
    tries   INTEGER NOT NULL DEFAULT 0,        -- how often it was removed
    PRIMARY KEY (account, openid, at)
) STRICT, WITHOUT ROWID;
CREATE INDEX location_gone_due ON location_gone (due_at) WHERE due_at IS NOT NULL;
