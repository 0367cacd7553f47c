-- Every run of a scheduled job. A row is running until its process says how it ended; where it died without a word, the
-- next run finds the row under the lock that it holds now, and closes it as killed.

CREATE TABLE IF NOT EXISTS job_run (
    id            BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY,
    job           VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL, -- as it is typed: followers sync
    account       VARCHAR(32)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL, -- its name; * for the whole installation
    origin        BIGINT       NOT NULL,            -- the first run of those that went on where one had ended; its own id otherwise
    started_at    DATETIME(3)  NOT NULL,
    finished_at   DATETIME(3),                      -- NULL: under way, or nobody saw its end
    outcome       VARCHAR(16)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL, -- running, ok, partial, unknown, failed, unavailable, refused, interrupted, timeout, killed
    exit_code     BIGINT,
    counts        MEDIUMTEXT   NOT NULL,            -- what was done, with the runs before it that it went on with; JSON
    checkpoint    MEDIUMTEXT,                       -- where the next run goes on; JSON
    checkpoint_at DATETIME(3),                      -- when that was written
    error         TEXT,
    who           VARCHAR(255) NOT NULL,            -- host and process id
    KEY job_run_job (job, account, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
