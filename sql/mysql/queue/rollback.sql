-- Takes the queue out again: the triggers first, so that no registration meets one without its table.

DROP TRIGGER IF EXISTS tr_member_insert_notification;
DROP TRIGGER IF EXISTS tr_member_update_notification;
DROP TABLE IF EXISTS member_notification_queue;
DROP TABLE IF EXISTS send_pace;
DROP TABLE IF EXISTS queue_capture;
DROP PROCEDURE IF EXISTS ProcessMemberNotificationQueue;
DROP PROCEDURE IF EXISTS CleanupNotificationQueue;
