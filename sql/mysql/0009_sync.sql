-- Whom a sync of the list of followers saw, and whom it found gone.

-- seen_run: job_run.origin of the sync that saw the person last; negative: not in its list, and subscribe 0 when asked.
-- gone_at: when a sync marked the person as gone; counts as long as nothing later is known of them.
SET @wxops_add = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE()
        AND table_name = 'user_mapping' AND column_name = 'seen_run') = 0,
    'ALTER TABLE user_mapping ADD COLUMN seen_run BIGINT NOT NULL DEFAULT 0', 'DO 0');
PREPARE wxops_add FROM @wxops_add;
EXECUTE wxops_add;
DEALLOCATE PREPARE wxops_add;

SET @wxops_add = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE()
        AND table_name = 'user_mapping' AND column_name = 'gone_at') = 0,
    'ALTER TABLE user_mapping ADD COLUMN gone_at DATETIME(3)', 'DO 0');
PREPARE wxops_add FROM @wxops_add;
EXECUTE wxops_add;
DEALLOCATE PREPARE wxops_add;
