-- A row of the queue where a member is another one now (kinds changed and status); where only one of them is told of, its
-- half. A change may come again, so its key has a counter, for which no table is read.

DELIMITER //

CREATE TRIGGER tr_member_update_notification AFTER UPDATE ON `members` FOR EACH ROW
BEGIN
    IF NOT (CAST(OLD.`member_no` AS BINARY) <=> CAST(NEW.`member_no` AS BINARY)
        AND CAST(OLD.`nickname` AS BINARY) <=> CAST(NEW.`nickname` AS BINARY)
        AND CAST(OLD.`wechat` AS BINARY) <=> CAST(NEW.`wechat` AS BINARY)
        AND CAST(OLD.`phone` AS BINARY) <=> CAST(NEW.`phone` AS BINARY)
        AND CAST(OLD.`type` AS BINARY) <=> CAST(NEW.`type` AS BINARY)
        AND CAST(OLD.`gender` AS BINARY) <=> CAST(NEW.`gender` AS BINARY)
        AND OLD.`remaining_matches` <=> NEW.`remaining_matches`
        AND OLD.`created_at` <=> NEW.`created_at`) THEN
        INSERT IGNORE INTO member_notification_queue
            (member_id, notification_type, dedupe_key, payload, max_attempts, available_at, created_at, updated_at)
        VALUES (
            NEW.`id`, 'member_changed', CONCAT('member_changed:', NEW.`id`, ':', UUID_SHORT()),
            JSON_OBJECT(
                'member_no', CONVERT(NEW.`member_no` USING utf8mb4),
                'nickname', CONVERT(NEW.`nickname` USING utf8mb4),
                'wechat', CONVERT(NEW.`wechat` USING utf8mb4),
                'phone', CONVERT(NEW.`phone` USING utf8mb4),
                'type', CONVERT(NEW.`type` USING utf8mb4),
                'gender', CONVERT(NEW.`gender` USING utf8mb4),
                'status', CONVERT(NEW.`status` USING utf8mb4),
                'remaining_matches', NEW.`remaining_matches`,
                'created_at', CAST(NEW.`created_at` AS CHAR)
            ),
            3, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3), UTC_TIMESTAMP(3)
        );
    END IF;
    IF NOT (CAST(OLD.`status` AS BINARY) <=> CAST(NEW.`status` AS BINARY)) THEN
        INSERT IGNORE INTO member_notification_queue
            (member_id, notification_type, dedupe_key, payload, max_attempts, available_at, created_at, updated_at)
        VALUES (
            NEW.`id`, 'member_status', CONCAT('member_status:', NEW.`id`, ':', UUID_SHORT()),
            JSON_OBJECT(
                'member_no', CONVERT(NEW.`member_no` USING utf8mb4),
                'nickname', CONVERT(NEW.`nickname` USING utf8mb4),
                'wechat', CONVERT(NEW.`wechat` USING utf8mb4),
                'phone', CONVERT(NEW.`phone` USING utf8mb4),
                'type', CONVERT(NEW.`type` USING utf8mb4),
                'gender', CONVERT(NEW.`gender` USING utf8mb4),
                'status', CONVERT(NEW.`status` USING utf8mb4),
                'remaining_matches', NEW.`remaining_matches`,
                'created_at', CAST(NEW.`created_at` AS CHAR)
            ),
            3, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3), UTC_TIMESTAMP(3)
        );
    END IF;
END//

DELIMITER ;
