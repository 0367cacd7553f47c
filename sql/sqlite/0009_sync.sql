-- Whom a sync of the list of followers saw, and whom it found gone.

-- job_run.origin of the sync that saw the person last; negative: not in its list, and subscribe 0 when asked.
ALTER TABLE user_mapping ADD COLUMN seen_run INTEGER NOT NULL DEFAULT 0;
-- When a sync marked the person as gone; counts as long as nothing later is known of them.
ALTER TABLE user_mapping ADD COLUMN gone_at TEXT;
