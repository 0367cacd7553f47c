CREATE TABLE inbox_event (
    id          BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY,
    dedupe_key  VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL UNIQUE,
    openid      VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    kind        VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    raw         MEDIUMTEXT   NOT NULL,
    event_time  BIGINT       NOT NULL,
    received_at DATETIME     NOT NULL DEFAULT CURRENT_TIMESTAMP
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE user_mapping (
    id          BIGINT      NOT NULL AUTO_INCREMENT PRIMARY KEY,
    openid      VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL UNIQUE,
    is_followed TINYINT     NOT NULL,
    qr_scene    VARCHAR(255),
    changed_at  BIGINT      NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
