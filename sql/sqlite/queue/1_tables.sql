-- The notification queue beside the CRM's members. These tables must stand before the trigger does, and outlive it:
-- a trigger without its table makes every registration fail.

CREATE TABLE IF NOT EXISTS member_notification_queue (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    member_id         INTEGER NOT NULL,
    notification_type TEXT    NOT NULL DEFAULT 'member_created', -- member_created, member_changed, member_status
    dedupe_key        TEXT    NOT NULL,                          -- member_created:ID; else TYPE:ID:COUNTER
    payload           TEXT    NOT NULL,                          -- JSON: the member as it was then, the columns that were chosen
    status            TEXT    NOT NULL DEFAULT 'pending',        -- pending, processing, sent, failed, dead, cancelled
    attempts          INTEGER NOT NULL DEFAULT 0,                -- answered sends
    max_attempts      INTEGER NOT NULL DEFAULT 3,
    claims            INTEGER NOT NULL DEFAULT 0,                -- times it was taken in hand
    channel           TEXT,                                      -- what the body is for: app, robot
    recipients        TEXT,                                      -- JSON: who is still to be told, once that is planned
    body              TEXT,                                      -- the request, frozen before the first call
    digest_id         INTEGER,                                   -- the row whose message tells of this one too
    digest            TEXT,                                      -- JSON: the rows that this one's message tells of
    suspect           INTEGER NOT NULL DEFAULT 0,                -- 1: may have gone out twice
    available_at      INTEGER NOT NULL,                          -- due from then on, milliseconds since 1970
    lease_token       TEXT,
    locked_by         TEXT,
    locked_until      INTEGER,
    last_error_code   INTEGER,
    last_error        TEXT,
    wecom_msgid       TEXT,
    created_at        TEXT    NOT NULL,                          -- RFC 3339, UTC, as the others
    updated_at        TEXT    NOT NULL,
    processed_at      TEXT
);

CREATE UNIQUE INDEX IF NOT EXISTS uq_member_notification_queue_dedupe ON member_notification_queue (dedupe_key);

CREATE INDEX IF NOT EXISTS ix_member_notification_queue_due ON member_notification_queue (status, available_at);

-- What was sent to whom and when, for the last hour: the platform drops silently what exceeds its pace.
CREATE TABLE IF NOT EXISTS send_pace (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    app       TEXT    NOT NULL, -- the application or robot
    recipient TEXT    NOT NULL, -- a userid in small letters; @all: everybody
    queue_id  INTEGER NOT NULL,
    sent_at   INTEGER NOT NULL  -- milliseconds since 1970
);

CREATE INDEX IF NOT EXISTS ix_send_pace_recipient ON send_pace (app, recipient, sent_at);

CREATE INDEX IF NOT EXISTS ix_send_pace_queue ON send_pace (app, queue_id);

CREATE INDEX IF NOT EXISTS ix_send_pace_sent ON send_pace (sent_at);

-- How far the members were looked through where no trigger is allowed: one row.
CREATE TABLE IF NOT EXISTS queue_capture (
    id        INTEGER PRIMARY KEY, -- 1
    seen_id   INTEGER NOT NULL,    -- the highest id that was seen
    mark_id   INTEGER NOT NULL,    -- what it was at mark_at
    mark_at   INTEGER NOT NULL,    -- milliseconds since 1970
    done_id   INTEGER NOT NULL,    -- up to here no member can come late any more
    looked_at INTEGER NOT NULL     -- when the ids between done_id and seen_id were looked at again
);
