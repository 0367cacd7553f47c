-- What hooks are told: one row an (event, hook), and one for each hook that must hear of an erasure.

CREATE TABLE hook_delivery (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    hook        TEXT    NOT NULL,
    event_id    INTEGER,                       -- inbox_event.id; NULL: an erasure
    account     TEXT    NOT NULL,
    openid      TEXT,                          -- who was erased; NULL: the event says whom it is about
    state       TEXT    NOT NULL,              -- pending, sending, delivered, failed, unknown, erased, gone
    attempts    INTEGER NOT NULL DEFAULT 0,
    due_at      INTEGER NOT NULL,
    lease       INTEGER,
    lease_until INTEGER NOT NULL DEFAULT 0,
    last_error  TEXT,
    created_at  TEXT    NOT NULL,
    ended_at    TEXT
) STRICT;
CREATE UNIQUE INDEX hook_delivery_event ON hook_delivery (event_id, hook);
CREATE INDEX hook_delivery_due ON hook_delivery (state, hook, due_at);
CREATE INDEX hook_delivery_person ON hook_delivery (account, openid) WHERE openid IS NOT NULL;

-- Who got something about whom, or may have: they are told when the person is erased.
CREATE TABLE hook_person (
    account TEXT    NOT NULL,
    openid  TEXT    NOT NULL,
    hook    TEXT    NOT NULL,
    told_at INTEGER NOT NULL,                  -- the last time, milliseconds
    PRIMARY KEY (account, openid, hook)
) STRICT;
