//! What events write into `user_mapping`.
//!
//! Events come in any order, so every write here compares times: `follow_time` and `unfollow_time` only
//! grow, the later of them decides `is_followed`, and in a tie nobody follows until user/info has said so.
//! `erased_to` only grows too: what happened by then is erased, and counts as before a leaving.
//! A SET never reads a column that stands to its left: MySQL assigns from left to right. Arguments are
//! numbered, `?1` the account and `?2` the openid, so that a writer can put those of a batch together.

use super::value::stmt;
use super::{Statement, Store, time_of};
use chrono::{DateTime, Utc};

/// Free text is cut to this many characters: what the columns hold.
pub const TEXT_MAX: usize = 255;

/// The columns that are the person's: blanked when they leave.
pub(super) const BLANK: &str = "unionid = NULL, nickname = NULL, avatar_url = NULL, sex = NULL, city = NULL, province = NULL, \
     country = NULL, language = NULL, subscribe_scene = NULL, remark = NULL";

/// The scene, where it was told by then.
pub(super) const BLANK_SCENE: &str = "qr_scene = CASE WHEN qr_scene_time > ?3 THEN qr_scene ELSE NULL END, \
     qr_scene_time = CASE WHEN qr_scene_time > ?3 THEN qr_scene_time ELSE NULL END";

/// Up to when the person is erased.
pub(super) const ERASED_TO: &str = "erased_to = CASE WHEN erased_to > ?3 THEN erased_to ELSE ?3 END";

/// The values of a bare row: account, openid, and twice when.
pub(super) const BARE_ROW: &str = "(?, ?, 0, ?, ?)";

impl Store {
    /// Makes the row of a person where there is none. Every list of effects begins with it, so that a
    /// writer can put those of a batch together.
    pub(super) fn bare_row(&self, account: &str, openid: &str, now: DateTime<Utc>) -> Statement {
        let sql = format!(
            "{} INTO user_mapping (account, openid, is_followed, created_at, updated_at) VALUES {BARE_ROW}",
            self.dialect.insert_new()
        );
        stmt!(sql, account, openid, now, now)
    }

    /// Somebody follows since `at`. Personal data is fetched when due; `scene` is the QR code's.
    pub fn follow(
        &self,
        account: &str,
        openid: &str,
        at: DateTime<Utc>,
        scene: Option<&str>,
        now_ms: i64,
    ) -> Vec<Statement> {
        let now = time_of(now_ms);
        let mut statements = vec![
            self.bare_row(account, openid, now),
            stmt!(
                "UPDATE user_mapping SET \
                 info_due_at = CASE WHEN unfollow_time > ?3 OR erased_to > ?3 THEN info_due_at ELSE ?4 END, \
                 info_attempts = CASE WHEN unfollow_time > ?3 OR erased_to > ?3 THEN info_attempts ELSE 0 END, \
                 info_error = CASE WHEN unfollow_time > ?3 OR erased_to > ?3 THEN info_error ELSE NULL END, \
                 info_lease = CASE WHEN unfollow_time > ?3 OR erased_to > ?3 THEN info_lease ELSE 0 END, \
                 erased_at = CASE WHEN unfollow_time >= ?3 OR erased_to >= ?3 THEN erased_at ELSE NULL END, \
                 is_followed = CASE WHEN unfollow_time >= ?3 OR erased_to >= ?3 THEN \
                 CASE WHEN (unfollow_time IS NULL OR qr_scene_time > unfollow_time) \
                 AND (erased_to IS NULL OR qr_scene_time > erased_to) THEN is_followed ELSE 0 END ELSE 1 END, \
                 updated_at = ?5, follow_time = ?3 \
                 WHERE account = ?1 AND openid = ?2 AND (follow_time IS NULL OR follow_time <= ?3)",
                account,
                openid,
                at,
                now_ms,
                now
            ),
        ];
        statements.extend(scene.map(|scene| set_scene(account, openid, at, scene, now)));
        statements.extend(self.is_shared().then(|| returned_before(account, openid, at, now_ms, now)));
        statements
    }

    /// A follower scanned a QR code: the scene. Whoever is not known as following since they last left does
    /// follow; the subscribe is late or lost, and user/info tells since when.
    pub fn scan(
        &self,
        account: &str,
        openid: &str,
        at: DateTime<Utc>,
        scene: Option<&str>,
        now_ms: i64,
    ) -> Vec<Statement> {
        let now = time_of(now_ms);
        let mut statements = vec![
            self.bare_row(account, openid, now),
            stmt!(
                "UPDATE user_mapping SET is_followed = 1, info_due_at = ?4, info_attempts = 0, info_error = NULL, \
                 info_lease = 0, updated_at = ?5 \
                 WHERE account = ?1 AND openid = ?2 AND is_followed = 0 AND (unfollow_time IS NULL OR unfollow_time < ?3) \
                 AND (erased_to IS NULL OR erased_to < ?3)",
                account,
                openid,
                at,
                now_ms,
                now
            ),
        ];
        statements.extend(scene.map(|scene| set_scene(account, openid, at, scene, now)));
        statements
    }

    /// Somebody left at `at`. With `erase`, profile, tags and raw callbacks up to then are blanked; what
    /// was fetched for a later following is fetched again. Without, only the two columns change.
    pub fn unfollow(&self, account: &str, openid: &str, at: DateTime<Utc>, erase: bool, now_ms: i64) -> Vec<Statement> {
        let now = time_of(now_ms);
        let mut statements = vec![self.bare_row(account, openid, now)];
        // A scene that was told later proves a later following, whose subscribe is late or lost. `erased_to` is set behind
        // what reads it.
        let asks = |erased_to: &str| {
            format!(
                "info_due_at = CASE WHEN (follow_time >= ?3 OR qr_scene_time > ?3) AND (erased_to IS NULL OR erased_to <= ?3 \
             OR follow_time >= erased_to OR qr_scene_time > erased_to) THEN ?4 ELSE NULL END, \
             info_attempts = 0, info_error = NULL, info_lease = 0, \
             is_followed = CASE WHEN follow_time > ?3 OR qr_scene_time > ?3 THEN is_followed ELSE 0 END, \
             updated_at = ?5, {erased_to}unfollow_time = ?3 \
             WHERE account = ?1 AND openid = ?2 AND (unfollow_time IS NULL OR unfollow_time < ?3)"
            )
        };
        if !erase {
            let sql = format!("UPDATE user_mapping SET {}", asks(""));
            statements.push(stmt!(sql, account, openid, at, now_ms, now));
            statements.extend(self.left_location(account, openid, at, now_ms));
            statements.push(Store::blank_locations(account, openid, at));
            return statements;
        }
        let sql = format!(
            "UPDATE user_mapping SET {BLANK}, {BLANK_SCENE}, \
             erased_at = CASE WHEN follow_time > ?3 THEN erased_at ELSE ?5 END, {}",
            asks(&format!("{ERASED_TO}, "))
        );
        statements.push(stmt!(sql, account, openid, at, now_ms, now));
        statements.extend(self.is_shared().then(|| left_before(account, openid, at, now)));
        statements.extend(self.elsewhere(account, openid, at, now_ms));
        statements
    }
}

/// Another program that writes the table has written this leaving first, dated by its own clock: the person's data is
/// still there.
fn left_before(account: &str, openid: &str, at: DateTime<Utc>, now: DateTime<Utc>) -> Statement {
    let sql = format!(
        "UPDATE user_mapping SET {BLANK}, qr_scene = NULL, qr_scene_time = NULL, erased_at = ?4, info_due_at = NULL, \
         info_attempts = 0, info_error = NULL, info_lease = 0, updated_at = ?4, {ERASED_TO} \
         WHERE account = ?1 AND openid = ?2 AND is_followed = 0 AND unfollow_time >= ?3 AND erased_at IS NULL \
         AND (follow_time IS NULL OR follow_time <= unfollow_time)"
    );
    stmt!(sql, account, openid, at, now)
}

/// Another program has written this following first, dated by its own clock: whoever was erased is not any more, and
/// is asked about.
fn returned_before(account: &str, openid: &str, at: DateTime<Utc>, now_ms: i64, now: DateTime<Utc>) -> Statement {
    stmt!(
        "UPDATE user_mapping SET erased_at = NULL, info_due_at = ?4, info_attempts = 0, info_error = NULL, \
         info_lease = 0, updated_at = ?5 \
         WHERE account = ?1 AND openid = ?2 AND is_followed = 1 AND follow_time > ?3 AND erased_at IS NOT NULL \
         AND (unfollow_time IS NULL OR unfollow_time < follow_time) AND (erased_to IS NULL OR erased_to < ?3)",
        account,
        openid,
        at,
        now_ms,
        now
    )
}

/// The scene of the latest event that told one; of two in one second the greater text, so that the
/// order of arrival does not matter.
fn set_scene(account: &str, openid: &str, at: DateTime<Utc>, scene: &str, now: DateTime<Utc>) -> Statement {
    stmt!(
        "UPDATE user_mapping SET qr_scene = ?4, qr_scene_time = ?3, updated_at = ?5 WHERE account = ?1 AND openid = ?2 \
         AND (unfollow_time IS NULL OR unfollow_time < ?3) AND (erased_to IS NULL OR erased_to < ?3) \
         AND (qr_scene_time IS NULL OR qr_scene_time < ?3 OR (qr_scene_time = ?3 AND qr_scene < ?4))",
        account,
        openid,
        at,
        cut(&Some(scene.to_owned()), TEXT_MAX),
        now
    )
}

/// Free text as the column takes it.
pub(super) fn cut(text: &Option<String>, max: usize) -> Option<String> {
    text.as_ref().map(|text| text.chars().take(max).collect())
}
