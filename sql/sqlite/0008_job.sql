-- Every run of a scheduled job. A row is running until its process says how it ended; where it died without a word, the
-- next run finds the row under the lock that it holds now, and closes it as killed.

CREATE TABLE job_run (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    job           TEXT    NOT NULL,            -- as it is typed: followers sync
    account       TEXT    NOT NULL,            -- its name; * for the whole installation
    origin        INTEGER NOT NULL,            -- the first run of those that went on where one had ended; its own id otherwise
    started_at    TEXT    NOT NULL,
    finished_at   TEXT,                        -- NULL: under way, or nobody saw its end
    outcome       TEXT    NOT NULL,            -- running, ok, partial, unknown, failed, unavailable, refused, interrupted, timeout, killed
    exit_code     INTEGER,
    counts        TEXT    NOT NULL,            -- what was done, with the runs before it that it went on with; JSON
    checkpoint    TEXT,                        -- where the next run goes on; JSON
    checkpoint_at TEXT,                        -- when that was written
    error         TEXT,
    who           TEXT    NOT NULL             -- host and process id
) STRICT;
CREATE INDEX job_run_job ON job_run (job, account, id);
