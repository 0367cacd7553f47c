-- Where each person was last, and whose copies in Redis are to be removed.

CREATE TABLE IF NOT EXISTS location (
    account     VARCHAR(32)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    openid      VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    latitude    DOUBLE       NOT NULL,                  -- degrees, WGS 84 or GCJ-02 as the platform sends it
    longitude   DOUBLE       NOT NULL,
    `precision` DOUBLE,                                 -- metres
    at          DATETIME(3)  NOT NULL,                  -- when the person was there
    expires_at  BIGINT       NOT NULL,                  -- not shown from then on, and deleted
    cell        BIGINT       NOT NULL,                  -- a twentieth of a degree each way: what a radius is looked for by
    copied      TINYINT      NOT NULL DEFAULT 0,        -- whether Redis has this state
    tidy_at     BIGINT       NOT NULL,                  -- when it is looked at for what has expired
    PRIMARY KEY (account, openid),
    KEY location_cell (account, cell),
    KEY location_tidy (tidy_at),
    KEY location_uncopied (copied)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS location_gone (
    account VARCHAR(32)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    openid  VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    at      DATETIME(3)  NOT NULL,                      -- positions up to then are forgotten
    gone_at BIGINT       NOT NULL,                      -- when that was written
    due_at  BIGINT,                                     -- when the copy is removed from Redis (again); NULL: it is gone
    tries   BIGINT       NOT NULL DEFAULT 0,            -- how often it was removed
    PRIMARY KEY (account, openid, at),
    KEY location_gone_due (due_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
