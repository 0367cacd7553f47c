-- What lies in the spool of each host: callbacks that were acknowledged while the database was away.

CREATE TABLE spool (
    place           TEXT    NOT NULL PRIMARY KEY,       -- host:folder
    bytes           INTEGER NOT NULL,
    events          INTEGER NOT NULL,                   -- not yet moved into inbox_event
    oldest_at       TEXT,                               -- when the oldest of them came in
    set_aside       INTEGER NOT NULL,                   -- files that wait for a person
    set_aside_since TEXT,
    seen_at         INTEGER NOT NULL,                   -- when a serve looked last, by the database's clock, ms
    touched_at      INTEGER NOT NULL DEFAULT 0          -- written to see whether the database writes again
) STRICT;
