-- What of the account's quota was given back on our word, and what the platform refused for want of it.

CREATE TABLE quota_ledger (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    account     TEXT    NOT NULL,
    at          TEXT    NOT NULL,
    kind        TEXT    NOT NULL,              -- clear, refusal
    api         TEXT    NOT NULL,              -- clear_quota, clear_quota/v2; what was refused: user/get
    way         TEXT,                          -- of a clear: token, secret
    outcome     TEXT    NOT NULL,              -- asked, ok, refused, unknown, unsent
    errcode     INTEGER,
    rid         TEXT,
    who         TEXT    NOT NULL,              -- host:process
    refused_day INTEGER                        -- of a refusal: the day of Beijing, so that it stands here once
) STRICT;
CREATE UNIQUE INDEX quota_ledger_refused ON quota_ledger (account, api, refused_day);
CREATE INDEX quota_ledger_at ON quota_ledger (account, kind, at);
