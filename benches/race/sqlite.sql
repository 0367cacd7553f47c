CREATE TABLE inbox_event (
    id          INTEGER PRIMARY KEY,
    dedupe_key  TEXT    NOT NULL UNIQUE,
    openid      TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    raw         TEXT    NOT NULL,
    event_time  INTEGER NOT NULL,
    received_at TEXT    NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE user_mapping (
    id          INTEGER PRIMARY KEY,
    openid      TEXT    NOT NULL UNIQUE,
    is_followed INTEGER NOT NULL,
    qr_scene    TEXT,
    changed_at  INTEGER NOT NULL
);
