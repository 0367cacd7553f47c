-- Who was erased: what each store confirmed, and the chain of receipts. Up to when a person is erased.

SET @wxops_add = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE()
        AND table_name = 'user_mapping' AND column_name = 'erased_to') = 0,
    'ALTER TABLE user_mapping ADD COLUMN erased_to DATETIME(3)', 'DO 0');
PREPARE wxops_add FROM @wxops_add;
EXECUTE wxops_add;
DEALLOCATE PREPARE wxops_add;

-- Who was erased before there was this column.
UPDATE user_mapping SET erased_to = unfollow_time WHERE erased_at IS NOT NULL AND erased_to IS NULL;

CREATE TABLE IF NOT EXISTS erasure (
    id          BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY,
    account     VARCHAR(32)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    openid      VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin, -- NULL once followers purge removed it
    cause       VARCHAR(16)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL, -- unsubscribe, forget, request, cancelled, gone
    note        VARCHAR(255),                           -- why, as the operator wrote it
    erased_to   DATETIME(3)  NOT NULL,                  -- what happened by then is erased
    erased_at   DATETIME(3)  NOT NULL,                  -- when it was erased here
    stores      TEXT         NOT NULL,                  -- JSON: every other store, and when it confirmed
    state       VARCHAR(9)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL, -- pending, confirmed, sealed
    due_at      BIGINT       NOT NULL,
    attempts    INT          NOT NULL DEFAULT 0,
    lease       BIGINT,
    lease_until BIGINT       NOT NULL DEFAULT 0,
    last_error  TEXT,
    seq         BIGINT,                                 -- its place in the chain
    receipt     TEXT,                                   -- JSON, what hash is the hash of
    hash        CHAR(64)     CHARACTER SET ascii COLLATE ascii_bin, -- SHA-256 of receipt, which holds that of the one before
    UNIQUE KEY erasure_seq (seq),
    KEY erasure_person (account, openid),
    KEY erasure_due (state, due_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Requests to be forgotten, written by the company's own system; made only where there is none.
CREATE TABLE IF NOT EXISTS user_delete_request (
    user_id INT          NOT NULL,
    phone   VARCHAR(12),
    openid  VARCHAR(255) NOT NULL,
    status  TINYINT      NOT NULL DEFAULT 0,            -- 1: done
    type    TINYINT      NOT NULL DEFAULT 1,            -- 1: by the system, 2: by the person
    KEY user_delete_request_status (status)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
