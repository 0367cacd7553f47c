-- A row of the queue where a member is another one now (kinds changed and status); where only one of them is told of, its
-- half. A change may come again, so its key has a counter, for which no table is read.

CREATE TRIGGER tr_member_update_notification AFTER UPDATE ON "members" FOR EACH ROW
BEGIN
    INSERT INTO member_notification_queue
        (member_id, notification_type, dedupe_key, payload, max_attempts, available_at, created_at, updated_at)
    SELECT
        NEW."id", 'member_changed', 'member_changed:' || NEW."id" || ':' || lower(hex(randomblob(8))),
        json_object(
            'member_no', CASE typeof(NEW."member_no") WHEN 'blob' THEN lower(hex(substr(NEW."member_no", 1, 1024))) WHEN 'text' THEN substr(NEW."member_no", 1, 20000) ELSE NEW."member_no" END,
            'nickname', CASE typeof(NEW."nickname") WHEN 'blob' THEN lower(hex(substr(NEW."nickname", 1, 1024))) WHEN 'text' THEN substr(NEW."nickname", 1, 20000) ELSE NEW."nickname" END,
            'wechat', CASE typeof(NEW."wechat") WHEN 'blob' THEN lower(hex(substr(NEW."wechat", 1, 1024))) WHEN 'text' THEN substr(NEW."wechat", 1, 20000) ELSE NEW."wechat" END,
            'phone', CASE typeof(NEW."phone") WHEN 'blob' THEN lower(hex(substr(NEW."phone", 1, 1024))) WHEN 'text' THEN substr(NEW."phone", 1, 20000) ELSE NEW."phone" END,
            'type', CASE typeof(NEW."type") WHEN 'blob' THEN lower(hex(substr(NEW."type", 1, 1024))) WHEN 'text' THEN substr(NEW."type", 1, 20000) ELSE NEW."type" END,
            'gender', CASE typeof(NEW."gender") WHEN 'blob' THEN lower(hex(substr(NEW."gender", 1, 1024))) WHEN 'text' THEN substr(NEW."gender", 1, 20000) ELSE NEW."gender" END,
            'status', CASE typeof(NEW."status") WHEN 'blob' THEN lower(hex(substr(NEW."status", 1, 1024))) WHEN 'text' THEN substr(NEW."status", 1, 20000) ELSE NEW."status" END,
            'remaining_matches', CASE typeof(NEW."remaining_matches") WHEN 'blob' THEN lower(hex(substr(NEW."remaining_matches", 1, 1024))) WHEN 'text' THEN substr(NEW."remaining_matches", 1, 20000) ELSE NEW."remaining_matches" END,
            'created_at', CASE typeof(NEW."created_at") WHEN 'blob' THEN lower(hex(substr(NEW."created_at", 1, 1024))) WHEN 'text' THEN substr(NEW."created_at", 1, 20000) ELSE NEW."created_at" END
        ),
        3, CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER),
        strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
    WHERE NOT (OLD."member_no" IS NEW."member_no"
        AND OLD."nickname" IS NEW."nickname"
        AND OLD."wechat" IS NEW."wechat"
        AND OLD."phone" IS NEW."phone"
        AND OLD."type" IS NEW."type"
        AND OLD."gender" IS NEW."gender"
        AND OLD."remaining_matches" IS NEW."remaining_matches"
        AND OLD."created_at" IS NEW."created_at")
    ON CONFLICT (dedupe_key) DO NOTHING;
    INSERT INTO member_notification_queue
        (member_id, notification_type, dedupe_key, payload, max_attempts, available_at, created_at, updated_at)
    SELECT
        NEW."id", 'member_status', 'member_status:' || NEW."id" || ':' || lower(hex(randomblob(8))),
        json_object(
            'member_no', CASE typeof(NEW."member_no") WHEN 'blob' THEN lower(hex(substr(NEW."member_no", 1, 1024))) WHEN 'text' THEN substr(NEW."member_no", 1, 20000) ELSE NEW."member_no" END,
            'nickname', CASE typeof(NEW."nickname") WHEN 'blob' THEN lower(hex(substr(NEW."nickname", 1, 1024))) WHEN 'text' THEN substr(NEW."nickname", 1, 20000) ELSE NEW."nickname" END,
            'wechat', CASE typeof(NEW."wechat") WHEN 'blob' THEN lower(hex(substr(NEW."wechat", 1, 1024))) WHEN 'text' THEN substr(NEW."wechat", 1, 20000) ELSE NEW."wechat" END,
            'phone', CASE typeof(NEW."phone") WHEN 'blob' THEN lower(hex(substr(NEW."phone", 1, 1024))) WHEN 'text' THEN substr(NEW."phone", 1, 20000) ELSE NEW."phone" END,
            'type', CASE typeof(NEW."type") WHEN 'blob' THEN lower(hex(substr(NEW."type", 1, 1024))) WHEN 'text' THEN substr(NEW."type", 1, 20000) ELSE NEW."type" END,
            'gender', CASE typeof(NEW."gender") WHEN 'blob' THEN lower(hex(substr(NEW."gender", 1, 1024))) WHEN 'text' THEN substr(NEW."gender", 1, 20000) ELSE NEW."gender" END,
            'status', CASE typeof(NEW."status") WHEN 'blob' THEN lower(hex(substr(NEW."status", 1, 1024))) WHEN 'text' THEN substr(NEW."status", 1, 20000) ELSE NEW."status" END,
            'remaining_matches', CASE typeof(NEW."remaining_matches") WHEN 'blob' THEN lower(hex(substr(NEW."remaining_matches", 1, 1024))) WHEN 'text' THEN substr(NEW."remaining_matches", 1, 20000) ELSE NEW."remaining_matches" END,
            'created_at', CASE typeof(NEW."created_at") WHEN 'blob' THEN lower(hex(substr(NEW."created_at", 1, 1024))) WHEN 'text' THEN substr(NEW."created_at", 1, 20000) ELSE NEW."created_at" END
        ),
        3, CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER),
        strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
    WHERE NOT (OLD."status" IS NEW."status")
    ON CONFLICT (dedupe_key) DO NOTHING;
END;
