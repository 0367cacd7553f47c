-- The table of the members as a CRM has it, for trying the queue out: `queue install --demo` makes it where there is none.

CREATE TABLE IF NOT EXISTS members (
    id                BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    member_no         VARCHAR(32)  NOT NULL,
    nickname          VARCHAR(255),
    wechat            VARCHAR(64),
    phone             VARCHAR(32),
    type              VARCHAR(16)  NOT NULL DEFAULT 'NORMAL',
    gender            VARCHAR(16),
    status            VARCHAR(16)  NOT NULL DEFAULT 'ACTIVE',
    remaining_matches INT          NOT NULL DEFAULT 0,
    created_at        DATETIME     NOT NULL,
    updated_at        DATETIME     NOT NULL,
    UNIQUE KEY uq_members_member_no (member_no)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
