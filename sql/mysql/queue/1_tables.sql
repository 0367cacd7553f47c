-- The notification queue beside the CRM's members. These tables must stand before the trigger does, and outlive it:
-- a trigger without its table makes every registration fail.

CREATE TABLE IF NOT EXISTS member_notification_queue (
    id                BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    member_id         BIGINT UNSIGNED NOT NULL,                  -- no foreign key: it would lock the members, and take history with them
    notification_type VARCHAR(32)     NOT NULL DEFAULT 'member_created', -- member_created, member_changed, member_status
    dedupe_key        VARCHAR(191)    CHARACTER SET ascii COLLATE ascii_bin NOT NULL, -- member_created:ID; else TYPE:ID:COUNTER
    payload           JSON            NOT NULL,                  -- the member as it was then: the columns that were chosen
    status            VARCHAR(16)     NOT NULL DEFAULT 'pending', -- pending, processing, sent, failed, dead, cancelled
    attempts          INT UNSIGNED    NOT NULL DEFAULT 0,        -- answered sends
    max_attempts      INT UNSIGNED    NOT NULL DEFAULT 3,
    claims            INT UNSIGNED    NOT NULL DEFAULT 0,        -- times it was taken in hand
    channel           VARCHAR(64),                               -- what the body is for: app, robot
    recipients        LONGTEXT,                                  -- JSON: who is still to be told, once that is planned
    body              LONGTEXT,                                  -- the request, frozen before the first call
    digest_id         BIGINT UNSIGNED,                           -- the row whose message tells of this one too
    digest            LONGTEXT,                                  -- JSON: the rows that this one's message tells of
    suspect           TINYINT         NOT NULL DEFAULT 0,        -- 1: may have gone out twice
    available_at      DATETIME(3)     NOT NULL,                  -- due from then on; UTC, as all times here
    lease_token       CHAR(32)        CHARACTER SET ascii COLLATE ascii_bin,
    locked_by         VARCHAR(64),
    locked_until      DATETIME(3),
    last_error_code   INT,
    last_error        VARCHAR(512),
    wecom_msgid       VARCHAR(128),
    created_at        DATETIME(3)     NOT NULL,
    updated_at        DATETIME(3)     NOT NULL,
    processed_at      DATETIME(3),
    UNIQUE KEY uq_member_notification_queue_dedupe (dedupe_key),
    KEY ix_member_notification_queue_due (status, available_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- What was sent to whom and when, for the last hour: the platform drops silently what exceeds its pace.
CREATE TABLE IF NOT EXISTS send_pace (
    id        BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY,
    app       VARCHAR(191) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, -- the application or robot
    recipient VARCHAR(128) NOT NULL,                                       -- a userid in small letters; @all: everybody
    queue_id  BIGINT       NOT NULL,
    sent_at   BIGINT       NOT NULL,                                       -- milliseconds since 1970
    KEY ix_send_pace_recipient (app, recipient, sent_at),
    KEY ix_send_pace_queue (app, queue_id),
    KEY ix_send_pace_sent (sent_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- How far the members were looked through where no trigger is allowed: one row.
CREATE TABLE IF NOT EXISTS queue_capture (
    id        TINYINT         NOT NULL PRIMARY KEY, -- 1
    seen_id   BIGINT UNSIGNED NOT NULL,             -- the highest id that was seen
    mark_id   BIGINT UNSIGNED NOT NULL,             -- what it was at mark_at
    mark_at   BIGINT          NOT NULL,             -- milliseconds since 1970
    done_id   BIGINT UNSIGNED NOT NULL,             -- up to here no member can come late any more
    looked_at BIGINT          NOT NULL              -- when the ids between done_id and seen_id were looked at again
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
