-- What is out of the ordinary, and when people were last told of it.

CREATE TABLE IF NOT EXISTS alarm (
    account  VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, -- '*': of the whole installation
    kind     VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, -- silence, paused, dead, backlog, serve
    began_at DATETIME(3) NOT NULL,
    told_at  DATETIME(3),                               -- NULL: nobody was told yet
    due_at   BIGINT      NOT NULL,                      -- when people are told next
    size     BIGINT      NOT NULL DEFAULT 0,            -- how many dead callbacks were told of
    tries    BIGINT      NOT NULL DEFAULT 0,            -- failed sends in a row
    PRIMARY KEY (account, kind)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
