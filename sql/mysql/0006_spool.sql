-- What lies in the spool of each host: callbacks that were acknowledged while the database was away.

CREATE TABLE IF NOT EXISTS spool (
    place           VARCHAR(255) NOT NULL,              -- host:folder
    bytes           BIGINT       NOT NULL,
    events          BIGINT       NOT NULL,              -- not yet moved into inbox_event
    oldest_at       DATETIME(3),                        -- when the oldest of them came in
    set_aside       BIGINT       NOT NULL,              -- files that wait for a person
    set_aside_since DATETIME(3),
    seen_at         BIGINT       NOT NULL,              -- when a serve looked last, by the database's clock, ms
    touched_at      BIGINT       NOT NULL DEFAULT 0,    -- written to see whether the database writes again
    PRIMARY KEY (place)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
