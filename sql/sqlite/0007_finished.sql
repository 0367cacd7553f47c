-- What WeChat told at the end of a mass send or of a publication, a row each; a later word about the same replaces it.

CREATE TABLE mass_finished (
    account      TEXT    NOT NULL,
    msg_id       TEXT    NOT NULL,             -- MsgID, 64 bits; joins what the send was answered with
    status       TEXT,                         -- send success, send fail, err(…): refused by the check
    total_count  INTEGER,                      -- followers of the tag or list
    filter_count INTEGER,                      -- of these, after filters
    sent_count   INTEGER,
    error_count  INTEGER,
    check_state  INTEGER,                      -- 1 no reprint, 2 a reprint that may be sent, 3 must not be sent
    copyright    TEXT,                         -- what the check says of each article, JSON
    article_urls TEXT,                         -- where each article stands, JSON
    event_id     INTEGER NOT NULL,             -- the inbox_event that told it
    event_time   TEXT    NOT NULL,
    PRIMARY KEY (account, msg_id)
) STRICT;

CREATE TABLE publish_finished (
    account      TEXT    NOT NULL,
    publish_id   TEXT    NOT NULL,
    status       INTEGER,                      -- 0 done, 1 running, 2 originality, 3 failed, 4 refused, 5 deleted, 6 blocked
    article_id   TEXT,
    article_urls TEXT,                         -- where each article stands, JSON
    failed       TEXT,                         -- numbers of the articles that failed, JSON
    event_id     INTEGER NOT NULL,             -- the inbox_event that told it
    event_time   TEXT    NOT NULL,
    PRIMARY KEY (account, publish_id)
) STRICT;
