-- Who was erased: what each store confirmed, and the chain of receipts. Up to when a person is erased.

ALTER TABLE user_mapping ADD COLUMN erased_to TEXT;

-- Who was erased before there was this column.
UPDATE user_mapping SET erased_to = unfollow_time WHERE erased_at IS NOT NULL AND erased_to IS NULL;

CREATE TABLE erasure (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    account     TEXT    NOT NULL,
    openid      TEXT,                          -- NULL once followers purge removed it
    cause       TEXT    NOT NULL,              -- unsubscribe, forget, request, cancelled, gone
    note        TEXT,                          -- why, as the operator wrote it
    erased_to   TEXT    NOT NULL,              -- what happened by then is erased
    erased_at   TEXT    NOT NULL,              -- when it was erased here
    stores      TEXT    NOT NULL,              -- JSON: every other store, and when it confirmed
    state       TEXT    NOT NULL,              -- pending, confirmed, sealed
    due_at      INTEGER NOT NULL,
    attempts    INTEGER NOT NULL DEFAULT 0,
    lease       INTEGER,
    lease_until INTEGER NOT NULL DEFAULT 0,
    last_error  TEXT,
    seq         INTEGER,                       -- its place in the chain
    receipt     TEXT,                          -- JSON, what hash is the hash of
    hash        TEXT                           -- SHA-256 of receipt, which holds that of the one before
) STRICT;
CREATE UNIQUE INDEX erasure_seq ON erasure (seq) WHERE seq IS NOT NULL;
CREATE INDEX erasure_person ON erasure (account, openid);
CREATE INDEX erasure_due ON erasure (state, due_at) WHERE state <> 'sealed';

-- Requests to be forgotten, written by the company's own system; made only where there is none.
CREATE TABLE IF NOT EXISTS user_delete_request (
    user_id INTEGER NOT NULL,
    phone   TEXT,
    openid  TEXT    NOT NULL,
    status  INTEGER NOT NULL DEFAULT 0,        -- 1: done
    type    INTEGER NOT NULL DEFAULT 1         -- 1: by the system, 2: by the person
);
