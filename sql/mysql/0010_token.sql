-- How long a token lives, the one before it, when it was asked for, and until when it must not be; who brought which
-- token, and which was refused.

-- life_ms: as it came; NULL: not known. previous_until: until when the one before still works. held_until: not one call
-- for a token before; held_code and held_reason say why, held_secret is a digest of the secret that it is about.
SET @wxops_add = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE()
        AND table_name = 'access_token' AND column_name = 'life_ms') = 0,
    'ALTER TABLE access_token ADD COLUMN life_ms BIGINT, ADD COLUMN previous TEXT,
        ADD COLUMN previous_until BIGINT NOT NULL DEFAULT 0, ADD COLUMN asked_at BIGINT NOT NULL DEFAULT 0,
        ADD COLUMN held_until BIGINT NOT NULL DEFAULT 0, ADD COLUMN held_code BIGINT, ADD COLUMN held_reason TEXT,
        ADD COLUMN held_secret VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin', 'DO 0');
PREPARE wxops_add FROM @wxops_add;
EXECUTE wxops_add;
DEALLOCATE PREPARE wxops_add;

CREATE TABLE IF NOT EXISTS token_history (
    account      VARCHAR(32)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    generation   BIGINT       NOT NULL,
    digest       VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL, -- the beginning of the token's SHA-256
    source       VARCHAR(16)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL, -- stable_token, forced, token, gettoken, token_from, token set
    who          VARCHAR(255) NOT NULL,                  -- host and process
    stored_at    DATETIME(3)  NOT NULL,
    expires_at   BIGINT,                                 -- NULL: not known
    refused_at   DATETIME(3),                            -- the first time
    refused_code BIGINT,
    refused_api  VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin,
    refused_rid  VARCHAR(255),
    refused_who  VARCHAR(255),
    refusals     BIGINT       NOT NULL DEFAULT 0,
    PRIMARY KEY (account, generation)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
