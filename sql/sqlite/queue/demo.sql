-- The table of the members as a CRM has it, for trying the queue out: `queue install --demo` makes it where there is none.

CREATE TABLE IF NOT EXISTS members (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    member_no         TEXT    NOT NULL UNIQUE,
    nickname          TEXT,
    wechat            TEXT,
    phone             TEXT,
    type              TEXT    NOT NULL DEFAULT 'NORMAL',
    gender            TEXT,
    status            TEXT    NOT NULL DEFAULT 'ACTIVE',
    remaining_matches INTEGER NOT NULL DEFAULT 0,
    created_at        TEXT    NOT NULL,
    updated_at        TEXT    NOT NULL
);
