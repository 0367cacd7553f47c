-- What of the account's quota was given back on our word, and what the platform refused for want of it.

CREATE TABLE IF NOT EXISTS quota_ledger (
    id          BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY,
    account     VARCHAR(32)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    at          DATETIME(3)  NOT NULL,
    kind        VARCHAR(16)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL, -- clear, refusal
    api         VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL, -- clear_quota, clear_quota/v2; what was refused: user/get
    way         VARCHAR(16)  CHARACTER SET ascii COLLATE ascii_bin,          -- of a clear: token, secret
    outcome     VARCHAR(16)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL, -- asked, ok, refused, unknown, unsent
    errcode     BIGINT,
    rid         VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin,
    who         VARCHAR(255) NOT NULL,                                       -- host:process
    refused_day BIGINT,                                                      -- of a refusal: the day of Beijing, so that it stands here once
    UNIQUE KEY quota_ledger_refused (account, api, refused_day),
    KEY quota_ledger_at (account, kind, at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
