-- What hooks are told: one row an (event, hook), and one for each hook that must hear of an erasure.

CREATE TABLE IF NOT EXISTS hook_delivery (
    id          BIGINT      NOT NULL AUTO_INCREMENT PRIMARY KEY,
    hook        VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    event_id    BIGINT,                                 -- inbox_event.id; NULL: an erasure
    account     VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    openid      VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin, -- who was erased; NULL: the event says whom it is about
    state       VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, -- pending, sending, delivered, failed, unknown, erased, gone
    attempts    INT         NOT NULL DEFAULT 0,
    due_at      BIGINT      NOT NULL,
    lease       BIGINT,
    lease_until BIGINT      NOT NULL DEFAULT 0,
    last_error  TEXT,
    created_at  DATETIME(3) NOT NULL,
    ended_at    DATETIME(3),
    UNIQUE KEY hook_delivery_event (event_id, hook),
    KEY hook_delivery_due (state, hook, due_at),
    KEY hook_delivery_person (account, openid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Who got something about whom, or may have: they are told when the person is erased.
CREATE TABLE IF NOT EXISTS hook_person (
    account VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    openid  VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    hook    VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    told_at BIGINT      NOT NULL,                       -- the last time, milliseconds
    PRIMARY KEY (account, openid, hook)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
