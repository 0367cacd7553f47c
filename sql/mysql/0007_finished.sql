-- What WeChat told at the end of a mass send or of a publication, a row each; a later word about the same replaces it.

CREATE TABLE IF NOT EXISTS mass_finished (
    account      VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    msg_id       VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, -- MsgID, 64 bits; joins what the send was answered with
    status       VARCHAR(64),                           -- send success, send fail, err(…): refused by the check
    total_count  BIGINT,                                -- followers of the tag or list
    filter_count BIGINT,                                -- of these, after filters
    sent_count   BIGINT,
    error_count  BIGINT,
    check_state  BIGINT,                                -- 1 no reprint, 2 a reprint that may be sent, 3 must not be sent
    copyright    MEDIUMTEXT,                            -- what the check says of each article, JSON
    article_urls MEDIUMTEXT,                            -- where each article stands, JSON
    event_id     BIGINT      NOT NULL,                  -- the inbox_event that told it
    event_time   DATETIME(3) NOT NULL,
    PRIMARY KEY (account, msg_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS publish_finished (
    account      VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    publish_id   VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    status       BIGINT,                                -- 0 done, 1 running, 2 originality, 3 failed, 4 refused, 5 deleted, 6 blocked
    article_id   VARCHAR(128),
    article_urls MEDIUMTEXT,                            -- where each article stands, JSON
    failed       MEDIUMTEXT,                            -- numbers of the articles that failed, JSON
    event_id     BIGINT      NOT NULL,                  -- the inbox_event that told it
    event_time   DATETIME(3) NOT NULL,
    PRIMARY KEY (account, publish_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
