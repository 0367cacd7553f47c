//! What `user_mapping` must have, column by column: how one that is missing is added, and what one that stands must
//! be able to hold.

/// A column of ours.
pub(super) struct Wanted {
    pub name: &'static str,
    pub holds: Holds,
    /// How it is added: never NOT NULL without a default, so that the other program's INSERTs go on.
    pub added: &'static str,
    /// NULL is written into it.
    pub blanked: bool,
}

/// What it must be able to hold.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    /// So many characters of any language.
    Text(i64),
    /// So many letters, digits, `_` and `-`.
    Word(i64),
    /// A number up to 2.
    Small,
    /// Any number.
    Number,
    /// A time.
    Time,
}

const fn column(name: &'static str, holds: Holds, added: &'static str) -> Wanted {
    Wanted { name, holds, added, blanked: true }
}

/// One that we never write NULL into.
const fn kept(name: &'static str, holds: Holds, added: &'static str) -> Wanted {
    Wanted { name, holds, added, blanked: false }
}

/// All but `id`, `openid` and `account`, which have rules of their own.
pub(super) const WANTED: &[Wanted] = &[
    column("unionid", Holds::Word(64), "VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin"),
    column("nickname", Holds::Text(255), "VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"),
    column("avatar_url", Holds::Word(1024), "VARCHAR(1024) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"),
    column("sex", Holds::Small, "TINYINT"),
    column("city", Holds::Text(255), "VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"),
    column("province", Holds::Text(255), "VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"),
    column("country", Holds::Text(255), "VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"),
    column("language", Holds::Word(32), "VARCHAR(32) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"),
    column("subscribe_scene", Holds::Word(64), "VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"),
    column("qr_scene", Holds::Text(255), "VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"),
    column("qr_scene_time", Holds::Time, "DATETIME(3)"),
    column("remark", Holds::Text(255), "VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"),
    kept("is_followed", Holds::Small, "TINYINT NOT NULL DEFAULT 0"),
    column("follow_time", Holds::Time, "DATETIME(3)"),
    column("unfollow_time", Holds::Time, "DATETIME(3)"),
    kept("created_at", Holds::Time, "DATETIME(3)"),
    kept("updated_at", Holds::Time, "DATETIME(3)"),
    column("erased_at", Holds::Time, "DATETIME(3)"),
    column("info_due_at", Holds::Number, "BIGINT"),
    kept("info_attempts", Holds::Number, "INT NOT NULL DEFAULT 0"),
    kept("info_lease", Holds::Number, "BIGINT NOT NULL DEFAULT 0"),
    column("info_error", Holds::Text(65_535), "TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"),
];
