-- The installation, its accounts, the inbox of callbacks, followers, tokens and locks.
-- Times that people read are DATETIME(3) in UTC; due times and leases are milliseconds since 1970.

CREATE TABLE IF NOT EXISTS installation (
    id          TINYINT     NOT NULL PRIMARY KEY,
    mark        VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, -- sandbox or real
    dedupe_hmac BINARY(32)  NOT NULL,                   -- the key of inbox_event.dedupe_key
    created_at  DATETIME(3) NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS account (
    name     VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    platform VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    appid    VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS inbox_event (
    id          BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY,
    account     VARCHAR(32)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    platform    VARCHAR(16)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    dedupe_key  BINARY(32)   NOT NULL,                  -- CreateTime in 4 bytes, then 28 of the keyed hash
    openid      VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    kind        VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    raw         MEDIUMTEXT,                             -- the decrypted message; NULL once its person is erased
    state       VARCHAR(8)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL, -- new, done, dead
    attempts    INT          NOT NULL DEFAULT 0,
    due_at      BIGINT       NOT NULL,
    lease       BIGINT,
    lease_until BIGINT       NOT NULL DEFAULT 0,
    last_error  TEXT,
    event_time  DATETIME(3)  NOT NULL,
    received_at DATETIME(3)  NOT NULL,
    UNIQUE KEY inbox_event_dedupe (dedupe_key),
    KEY inbox_event_person (account, openid),
    KEY inbox_event_due (state, due_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS user_mapping (
    id              BIGINT        NOT NULL AUTO_INCREMENT PRIMARY KEY,
    openid          VARCHAR(64)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    unionid         VARCHAR(64)   CHARACTER SET ascii COLLATE ascii_bin,
    nickname        VARCHAR(255),
    avatar_url      VARCHAR(1024),
    sex             TINYINT,
    city            VARCHAR(255),
    province        VARCHAR(255),
    country         VARCHAR(255),
    language        VARCHAR(32),
    subscribe_scene VARCHAR(64),
    qr_scene        VARCHAR(255),
    qr_scene_time   DATETIME(3),                        -- when the event happened that told qr_scene
    remark          VARCHAR(255),
    is_followed     TINYINT       NOT NULL DEFAULT 0,
    follow_time     DATETIME(3),
    unfollow_time   DATETIME(3),
    created_at      DATETIME(3)   NOT NULL,
    updated_at      DATETIME(3)   NOT NULL,
    account         VARCHAR(32)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    erased_at       DATETIME(3),
    info_due_at     BIGINT,                             -- when user/info is to be asked; NULL: not due
    info_attempts   INT           NOT NULL DEFAULT 0,
    info_lease      BIGINT        NOT NULL DEFAULT 0,
    info_error      TEXT,
    UNIQUE KEY user_mapping_person (account, openid),
    KEY user_mapping_followed (is_followed, follow_time),
    KEY user_mapping_info_due (info_due_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS tag (
    account VARCHAR(32)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    tag_id  BIGINT       NOT NULL,
    name    VARCHAR(255) NOT NULL,
    count   BIGINT       NOT NULL DEFAULT 0,
    PRIMARY KEY (account, tag_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS user_tag (
    account VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    openid  VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    tag_id  BIGINT      NOT NULL,
    PRIMARY KEY (account, openid, tag_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS access_token (
    account      VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    token        TEXT,
    expires_at   BIGINT,                                -- NULL: set by hand, trusted until refused
    generation   BIGINT      NOT NULL DEFAULT 0,
    who          VARCHAR(255),
    refreshed_at DATETIME(3),
    forced_at    BIGINT      NOT NULL DEFAULT 0,        -- the last force_refresh
    forced_day   BIGINT      NOT NULL DEFAULT 0,        -- the day (Asia/Shanghai) that forced_count is of
    forced_count BIGINT      NOT NULL DEFAULT 0
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS channel (
    account      VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    api          VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, -- '*': every API of the account
    reason       TEXT        NOT NULL,
    paused_until BIGINT      NOT NULL,
    probe_lease  BIGINT      NOT NULL DEFAULT 0,
    PRIMARY KEY (account, api)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS lease (
    name   VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    holder BIGINT       NOT NULL,
    who    VARCHAR(255) NOT NULL,
    until  BIGINT       NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
