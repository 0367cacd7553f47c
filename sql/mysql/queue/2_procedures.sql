-- For those who work the queue with SQL alone; wxops itself needs neither. A procedure can call no HTTP: the first one
-- takes rows in hand and returns them. Both run with the rights of whoever calls them.

DELIMITER //

DROP PROCEDURE IF EXISTS ProcessMemberNotificationQueue//
CREATE PROCEDURE ProcessMemberNotificationQueue(IN batch INT UNSIGNED, IN lease_seconds INT UNSIGNED, IN worker VARCHAR(64))
    SQL SECURITY INVOKER
    COMMENT 'Gives back what the dead held, takes up to batch due rows in hand, returns them'
BEGIN
    DECLARE done INT DEFAULT 0;
    DECLARE row_id BIGINT UNSIGNED;
    DECLARE token CHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT MD5(CONCAT(UUID(), CONNECTION_ID(), RAND()));
    -- Rows that somebody else has locked are passed over: nobody waits, and nobody locks another out.
    DECLARE left_behind CURSOR FOR
        SELECT id FROM member_notification_queue
        WHERE status = 'processing' AND locked_until <= UTC_TIMESTAMP(3)
        LIMIT 1000 FOR UPDATE SKIP LOCKED;
    DECLARE due CURSOR FOR
        SELECT id FROM member_notification_queue
        WHERE status = 'pending' AND available_at <= UTC_TIMESTAMP(3)
            AND (digest_id IS NULL OR digest_id = 0 OR digest_id = id)
        ORDER BY available_at, id LIMIT batch FOR UPDATE SKIP LOCKED;
    DECLARE CONTINUE HANDLER FOR NOT FOUND SET done = 1;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION
    BEGIN
        ROLLBACK;
        RESIGNAL;
    END;
    SET batch = LEAST(GREATEST(COALESCE(batch, 10), 1), 1000);
    SET lease_seconds = LEAST(GREATEST(COALESCE(lease_seconds, 30), 1), 86400);
    -- At the default REPEATABLE READ the claim would lock the gaps that registrations write into.
    COMMIT;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    OPEN left_behind;
    give_back: LOOP
        FETCH left_behind INTO row_id;
        IF done THEN
            LEAVE give_back;
        END IF;
        UPDATE member_notification_queue
        SET status = 'pending', lease_token = NULL, locked_by = NULL, locked_until = NULL,
            available_at = UTC_TIMESTAMP(3), suspect = CASE WHEN body IS NULL THEN suspect ELSE 1 END,
            updated_at = UTC_TIMESTAMP(3)
        WHERE id = row_id;
    END LOOP;
    CLOSE left_behind;
    COMMIT;
    SET done = 0;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    OPEN due;
    take: LOOP
        FETCH due INTO row_id;
        IF done THEN
            LEAVE take;
        END IF;
        UPDATE member_notification_queue
        SET status = 'processing', lease_token = token, locked_by = worker,
            locked_until = UTC_TIMESTAMP(3) + INTERVAL lease_seconds SECOND, claims = claims + 1,
            updated_at = UTC_TIMESTAMP(3)
        WHERE id = row_id AND status = 'pending';
    END LOOP;
    CLOSE due;
    COMMIT;
    SELECT * FROM member_notification_queue WHERE status = 'processing' AND lease_token = token ORDER BY available_at, id;
END//

DROP PROCEDURE IF EXISTS CleanupNotificationQueue//
CREATE PROCEDURE CleanupNotificationQueue(IN keep_days INT UNSIGNED, IN at_once INT UNSIGNED)
    SQL SECURITY INVOKER
    COMMENT 'Deletes sent and cancelled rows older than keep_days, at_once a transaction; returns how many'
BEGIN
    DECLARE gone, part BIGINT DEFAULT 0;
    DECLARE done INT DEFAULT 0;
    DECLARE row_id BIGINT UNSIGNED;
    DECLARE kind VARCHAR(16) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT 'sent';
    DECLARE before_then DATETIME(3);
    DECLARE old CURSOR FOR
        SELECT id FROM member_notification_queue
        WHERE status = kind AND available_at < before_then AND COALESCE(processed_at, updated_at) < before_then
        LIMIT at_once FOR UPDATE SKIP LOCKED;
    DECLARE CONTINUE HANDLER FOR NOT FOUND SET done = 1;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION
    BEGIN
        ROLLBACK;
        RESIGNAL;
    END;
    SET before_then = UTC_TIMESTAMP(3) - INTERVAL COALESCE(keep_days, 30) DAY;
    SET at_once = LEAST(GREATEST(COALESCE(at_once, 500), 1), 10000);
    COMMIT;
    chunks: LOOP
        SET done = 0;
        SET part = 0;
        SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
        START TRANSACTION;
        OPEN old;
        rows_of_it: LOOP
            FETCH old INTO row_id;
            IF done THEN
                LEAVE rows_of_it;
            END IF;
            DELETE FROM member_notification_queue WHERE id = row_id;
            SET part = part + 1;
        END LOOP;
        CLOSE old;
        COMMIT;
        SET gone = gone + part;
        IF part = 0 AND kind = 'cancelled' THEN
            LEAVE chunks;
        END IF;
        IF part = 0 THEN
            SET kind = 'cancelled';
        END IF;
    END LOOP;
    SELECT gone AS deleted;
END//

DELIMITER ;
