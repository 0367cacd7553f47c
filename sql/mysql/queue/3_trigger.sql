-- A row of the queue for each new member, in the member's own transaction. One statement and no other: what fails in a trigger
-- makes the registration fail. The columns are those of demo.sql; `wxops queue install --print-sql` prints this for yours.

CREATE TRIGGER tr_member_insert_notification AFTER INSERT ON `members` FOR EACH ROW
INSERT IGNORE INTO member_notification_queue
    (member_id, notification_type, dedupe_key, payload, max_attempts, available_at, created_at, updated_at)
VALUES (
    NEW.`id`, 'member_created', CONCAT('member_created:', NEW.`id`),
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
