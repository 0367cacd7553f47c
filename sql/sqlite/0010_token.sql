-- How long a token lives, the one before it, when it was asked for, and until when it must not be; who brought which
-- token, and which was refused.

ALTER TABLE access_token ADD COLUMN life_ms INTEGER;                       -- as it came; NULL: not known
ALTER TABLE access_token ADD COLUMN previous TEXT;                         -- the one before it
ALTER TABLE access_token ADD COLUMN previous_until INTEGER NOT NULL DEFAULT 0; -- until when that still works
ALTER TABLE access_token ADD COLUMN asked_at INTEGER NOT NULL DEFAULT 0;   -- when it was asked for last
ALTER TABLE access_token ADD COLUMN held_until INTEGER NOT NULL DEFAULT 0; -- not one call for a token before
ALTER TABLE access_token ADD COLUMN held_code INTEGER;                     -- the errcode that says so
ALTER TABLE access_token ADD COLUMN held_reason TEXT;                      -- in the platform's words
ALTER TABLE access_token ADD COLUMN held_secret TEXT;                      -- a digest of the secret that it is about

CREATE TABLE token_history (
    account      TEXT    NOT NULL,
    generation   INTEGER NOT NULL,
    digest       TEXT    NOT NULL,             -- the beginning of the token's SHA-256
    source       TEXT    NOT NULL,             -- stable_token, forced, token, gettoken, token_from, token set
    who          TEXT    NOT NULL,             -- host and process
    stored_at    TEXT    NOT NULL,
    expires_at   INTEGER,                      -- NULL: not known
    refused_at   TEXT,                         -- the first time
    refused_code INTEGER,
    refused_api  TEXT,
    refused_rid  TEXT,
    refused_who  TEXT,
    refusals     INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (account, generation)
) STRICT;
