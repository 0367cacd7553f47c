-- The installation, its accounts, the inbox of callbacks, followers, tokens and locks.
-- Times that people read are RFC 3339 text in UTC; due times and leases are milliseconds since 1970.

CREATE TABLE installation (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    mark        TEXT    NOT NULL,              -- sandbox or real
    dedupe_hmac BLOB    NOT NULL,              -- 32 bytes: the key of inbox_event.dedupe_key
    created_at  TEXT    NOT NULL
) STRICT;

CREATE TABLE account (
    name     TEXT NOT NULL PRIMARY KEY,
    platform TEXT NOT NULL,
    appid    TEXT NOT NULL
) STRICT;

CREATE TABLE inbox_event (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    account     TEXT    NOT NULL,
    platform    TEXT    NOT NULL,
    dedupe_key  BLOB    NOT NULL,              -- CreateTime in 4 bytes, then 28 of the keyed hash
    openid      TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    raw         TEXT,                          -- the decrypted message; NULL once its person is erased
    state       TEXT    NOT NULL,              -- new, done, dead
    attempts    INTEGER NOT NULL DEFAULT 0,
    due_at      INTEGER NOT NULL,
    lease       INTEGER,
    lease_until INTEGER NOT NULL DEFAULT 0,
    last_error  TEXT,
    event_time  TEXT    NOT NULL,
    received_at TEXT    NOT NULL
) STRICT;
CREATE UNIQUE INDEX inbox_event_dedupe ON inbox_event (dedupe_key);
CREATE INDEX inbox_event_person ON inbox_event (account, openid);
CREATE INDEX inbox_event_due ON inbox_event (due_at) WHERE state = 'new';
CREATE INDEX inbox_event_dead ON inbox_event (id) WHERE state = 'dead';

CREATE TABLE user_mapping (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    openid          TEXT    NOT NULL,
    unionid         TEXT,
    nickname        TEXT,
    avatar_url      TEXT,
    sex             INTEGER,
    city            TEXT,
    province        TEXT,
    country         TEXT,
    language        TEXT,
    subscribe_scene TEXT,
    qr_scene        TEXT,
    qr_scene_time   TEXT,                      -- when the event happened that told qr_scene
    remark          TEXT,
    is_followed     INTEGER NOT NULL DEFAULT 0,
    follow_time     TEXT,
    unfollow_time   TEXT,
    created_at      TEXT    NOT NULL,
    updated_at      TEXT    NOT NULL,
    account         TEXT    NOT NULL,
    erased_at       TEXT,
    info_due_at     INTEGER,                   -- when user/info is to be asked; NULL: not due
    info_attempts   INTEGER NOT NULL DEFAULT 0,
    info_lease      INTEGER NOT NULL DEFAULT 0,
    info_error      TEXT
) STRICT;
CREATE UNIQUE INDEX user_mapping_person ON user_mapping (account, openid);
CREATE INDEX user_mapping_followed ON user_mapping (is_followed, follow_time);
CREATE INDEX user_mapping_info_due ON user_mapping (info_due_at) WHERE info_due_at IS NOT NULL;

CREATE TABLE tag (
    account TEXT    NOT NULL,
    tag_id  INTEGER NOT NULL,
    name    TEXT    NOT NULL,
    count   INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (account, tag_id)
) STRICT;

CREATE TABLE user_tag (
    account TEXT    NOT NULL,
    openid  TEXT    NOT NULL,
    tag_id  INTEGER NOT NULL,
    PRIMARY KEY (account, openid, tag_id)
) STRICT;

CREATE TABLE access_token (
    account      TEXT    NOT NULL PRIMARY KEY,
    token        TEXT,
    expires_at   INTEGER,                      -- NULL: set by hand, trusted until refused
    generation   INTEGER NOT NULL DEFAULT 0,
    who          TEXT,
    refreshed_at TEXT,
    forced_at    INTEGER NOT NULL DEFAULT 0,   -- the last force_refresh
    forced_day   INTEGER NOT NULL DEFAULT 0,   -- the day (Asia/Shanghai) that forced_count is of
    forced_count INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE channel (
    account      TEXT    NOT NULL,
    api          TEXT    NOT NULL,             -- '*': every API of the account
    reason       TEXT    NOT NULL,
    paused_until INTEGER NOT NULL,
    probe_lease  INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (account, api)
) STRICT;

CREATE TABLE lease (
    name   TEXT    NOT NULL PRIMARY KEY,
    holder INTEGER NOT NULL,
    who    TEXT    NOT NULL,
    until  INTEGER NOT NULL
) STRICT;
