-- What is out of the ordinary, and when people were last told of it.

CREATE TABLE alarm (
    account  TEXT    NOT NULL,                 -- '*': of the whole installation
    kind     TEXT    NOT NULL,                 -- silence, paused, dead, backlog, serve
    began_at TEXT    NOT NULL,
    told_at  TEXT,                             -- NULL: nobody was told yet
    due_at   INTEGER NOT NULL,                 -- when people are told next
    size     INTEGER NOT NULL DEFAULT 0,       -- how many dead callbacks were told of
    tries    INTEGER NOT NULL DEFAULT 0,       -- failed sends in a row
    PRIMARY KEY (account, kind)
) STRICT;
