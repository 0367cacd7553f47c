//! `user_mapping`: one row an (account, openid).
//!
//! Events come in any order, so every write here compares times: `follow_time` and `unfollow_time` only
//! grow, the later of them decides `is_followed`, and in a tie nobody follows until user/info has said so.
//! A SET never reads a column that stands to its left: MySQL assigns from left to right.

use super::read::Row;
use super::value::{Value, places, stmt};
use super::{LEASE_MS, Statement, Store, time_now};
use crate::error::Result;
use chrono::{DateTime, Utc};

/// Free text is cut to this many characters: what the columns hold.
pub const TEXT_MAX: usize = 255;

/// One row, for `followers list|show`.
#[derive(Debug, Clone, PartialEq)]
pub struct Follower {
    /// user_mapping.id
    pub id: i64,
    /// The account's name.
    pub account: String,
    /// The person.
    pub openid: String,
    /// Same person across accounts of one Open Platform account.
    pub unionid: Option<String>,
    /// Empty at the platform since 2021-12-27; what was known before is kept.
    pub nickname: Option<String>,
    /// As nickname.
    pub avatar_url: Option<String>,
    /// 1 male, 2 female.
    pub sex: Option<i64>,
    /// City.
    pub city: Option<String>,
    /// Province.
    pub province: Option<String>,
    /// Country.
    pub country: Option<String>,
    /// zh_CN, …
    pub language: Option<String>,
    /// ADD_SCENE_…
    pub subscribe_scene: Option<String>,
    /// The scene of the last QR code.
    pub qr_scene: Option<String>,
    /// The operator's remark.
    pub remark: Option<String>,
    /// Whether the person follows.
    pub is_followed: bool,
    /// The latest following.
    pub follow_time: Option<DateTime<Utc>>,
    /// The latest leaving.
    pub unfollow_time: Option<DateTime<Utc>>,
    /// When the row was made.
    pub created_at: DateTime<Utc>,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
    /// When the person was erased.
    pub erased_at: Option<DateTime<Utc>>,
    /// When user/info is to be asked, milliseconds; `None`: not due.
    pub info_due_at: Option<i64>,
    /// How often user/info failed on it.
    pub info_attempts: i64,
    /// Why it failed last.
    pub info_error: Option<String>,
}

const COLUMNS: &str = "id, account, openid, unionid, nickname, avatar_url, sex, city, province, country, language, \
     subscribe_scene, qr_scene, remark, is_followed, follow_time, unfollow_time, created_at, updated_at, erased_at, \
     info_due_at, info_attempts, info_error";

fn follower(row: &Row) -> Result<Follower> {
    Ok(Follower {
        id: row.int(0)?,
        account: row.text(1)?,
        openid: row.text(2)?,
        unionid: row.opt_text(3)?,
        nickname: row.opt_text(4)?,
        avatar_url: row.opt_text(5)?,
        sex: row.opt_int(6)?,
        city: row.opt_text(7)?,
        province: row.opt_text(8)?,
        country: row.opt_text(9)?,
        language: row.opt_text(10)?,
        subscribe_scene: row.opt_text(11)?,
        qr_scene: row.opt_text(12)?,
        remark: row.opt_text(13)?,
        is_followed: row.int(14)? != 0,
        follow_time: row.opt_time(15)?,
        unfollow_time: row.opt_time(16)?,
        created_at: row.time(17)?,
        updated_at: row.time(18)?,
        erased_at: row.opt_time(19)?,
        info_due_at: row.opt_int(20)?,
        info_attempts: row.int(21)?,
        info_error: row.opt_text(22)?,
    })
}

/// What user/info knows of a person; `None` never overwrites what is known.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Profile {
    /// See [`Follower::unionid`].
    pub unionid: Option<String>,
    /// See [`Follower::nickname`].
    pub nickname: Option<String>,
    /// See [`Follower::avatar_url`].
    pub avatar_url: Option<String>,
    /// See [`Follower::sex`].
    pub sex: Option<i64>,
    /// See [`Follower::city`].
    pub city: Option<String>,
    /// See [`Follower::province`].
    pub province: Option<String>,
    /// See [`Follower::country`].
    pub country: Option<String>,
    /// See [`Follower::language`].
    pub language: Option<String>,
    /// See [`Follower::subscribe_scene`].
    pub subscribe_scene: Option<String>,
    /// See [`Follower::remark`].
    pub remark: Option<String>,
    /// The latest following, as the platform has it; for a `follow_time` that no event has told since they left.
    pub follow_time: Option<DateTime<Utc>>,
}

/// A row whose user/info is due and in our hand.
#[derive(Debug, Clone, PartialEq)]
pub struct Due {
    /// The account's name.
    pub account: String,
    /// The person.
    pub openid: String,
    /// How often it failed.
    pub attempts: i64,
    /// What we hold it under; an event that changes the row takes it away.
    pub lease: i64,
}

/// The columns that are the person's: blanked when they leave.
const BLANK: &str = "unionid = NULL, nickname = NULL, avatar_url = NULL, sex = NULL, city = NULL, province = NULL, \
     country = NULL, language = NULL, subscribe_scene = NULL, remark = NULL";

impl Store {
    fn bare_row(&self, account: &str, openid: &str) -> Statement {
        let sql = format!(
            "{} INTO user_mapping (account, openid, is_followed, created_at, updated_at) VALUES (?, ?, 0, ?, ?)",
            self.dialect.insert_new()
        );
        let now = time_now();
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
        let mut statements = vec![
            self.bare_row(account, openid),
            stmt!(
                "UPDATE user_mapping SET \
                 info_due_at = CASE WHEN unfollow_time > ? THEN info_due_at ELSE ? END, \
                 info_attempts = CASE WHEN unfollow_time > ? THEN info_attempts ELSE 0 END, \
                 info_error = CASE WHEN unfollow_time > ? THEN info_error ELSE NULL END, \
                 info_lease = CASE WHEN unfollow_time > ? THEN info_lease ELSE 0 END, \
                 erased_at = CASE WHEN unfollow_time >= ? THEN erased_at ELSE NULL END, \
                 is_followed = CASE WHEN unfollow_time >= ? THEN \
                 CASE WHEN qr_scene_time > unfollow_time THEN is_followed ELSE 0 END ELSE 1 END, \
                 updated_at = ?, follow_time = ? \
                 WHERE account = ? AND openid = ? AND (follow_time IS NULL OR follow_time <= ?)",
                at,
                now_ms,
                at,
                at,
                at,
                at,
                at,
                time_now(),
                at,
                account,
                openid,
                at
            ),
        ];
        statements.extend(scene.map(|scene| set_scene(account, openid, at, scene)));
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
        let mut statements = vec![
            self.bare_row(account, openid),
            stmt!(
                "UPDATE user_mapping SET is_followed = 1, info_due_at = ?, info_attempts = 0, info_error = NULL, \
                 info_lease = 0, updated_at = ? \
                 WHERE account = ? AND openid = ? AND is_followed = 0 AND (unfollow_time IS NULL OR unfollow_time < ?)",
                now_ms,
                time_now(),
                account,
                openid,
                at
            ),
        ];
        statements.extend(scene.map(|scene| set_scene(account, openid, at, scene)));
        statements
    }

    /// Somebody left at `at`. With `erase`, profile, tags and raw callbacks up to then are blanked; what
    /// was fetched for a later following is fetched again. Without, only the two columns change.
    pub fn unfollow(&self, account: &str, openid: &str, at: DateTime<Utc>, erase: bool, now_ms: i64) -> Vec<Statement> {
        let now = time_now();
        let mut statements = vec![self.bare_row(account, openid)];
        // A scene that was told later proves a later following, whose subscribe is late or lost.
        let asks = "info_due_at = CASE WHEN follow_time >= ? OR qr_scene_time > ? THEN ? ELSE NULL END, \
             info_attempts = 0, info_error = NULL, info_lease = 0, \
             is_followed = CASE WHEN follow_time > ? OR qr_scene_time > ? THEN is_followed ELSE 0 END, \
             updated_at = ?, unfollow_time = ? \
             WHERE account = ? AND openid = ? AND (unfollow_time IS NULL OR unfollow_time < ?)";
        if !erase {
            let sql = format!("UPDATE user_mapping SET {asks}");
            statements.push(stmt!(sql, at, at, now_ms, at, at, now, at, account, openid, at));
            return statements;
        }
        let sql = format!(
            "UPDATE user_mapping SET {BLANK}, \
             qr_scene = CASE WHEN qr_scene_time > ? THEN qr_scene ELSE NULL END, \
             qr_scene_time = CASE WHEN qr_scene_time > ? THEN qr_scene_time ELSE NULL END, \
             erased_at = CASE WHEN follow_time > ? THEN erased_at ELSE ? END, {asks}"
        );
        statements.push(stmt!(sql, at, at, at, now, at, at, now_ms, at, at, now, at, account, openid, at));
        statements.push(stmt!("DELETE FROM user_tag WHERE account = ? AND openid = ?", account, openid));
        statements.push(stmt!(
            "UPDATE inbox_event SET raw = NULL, last_error = NULL WHERE account = ? AND openid = ? AND event_time <= ? \
             AND raw IS NOT NULL",
            account,
            openid,
            at
        ));
        statements
    }

    /// Takes up to `limit` rows of an account whose user/info is due.
    pub async fn claim_due(&self, account: &str, limit: i64, now_ms: i64) -> Result<Vec<Due>> {
        let now = self.dialect.now_ms();
        let sql = format!(
            "SELECT id FROM user_mapping WHERE info_due_at <= ? AND account = ? AND info_lease <= {now} * {LEASE_UNIT} \
             ORDER BY info_due_at LIMIT ?"
        );
        let ids = self.rows(&sql, vec![now_ms.into(), account.into(), limit.into()], |row| row.int(0)).await?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mark = rand::random_range(1..LEASE_UNIT);
        let sql = format!(
            "UPDATE user_mapping SET info_lease = ({now} + {LEASE_MS}) * {LEASE_UNIT} + ? WHERE id IN ({}) \
             AND info_due_at <= ? AND info_lease <= {now} * {LEASE_UNIT}",
            places(ids.len())
        );
        let mut args = vec![Value::Int(mark)];
        args.extend(ids.iter().map(|id| Value::Int(*id)));
        args.push(now_ms.into());
        if self.commit(vec![Statement { sql: sql.into(), args }]).await?[0] == 0 {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT account, openid, info_attempts, info_lease FROM user_mapping WHERE id IN ({}) AND info_lease % {LEASE_UNIT} = ?",
            places(ids.len())
        );
        let mut args: Vec<Value> = ids.iter().map(|id| Value::Int(*id)).collect();
        args.push(mark.into());
        self.rows(&sql, args, |row| {
            Ok(Due { account: row.text(0)?, openid: row.text(1)?, attempts: row.int(2)?, lease: row.int(3)? })
        })
        .await
    }

    /// The one way in which personal data is written: only under the lease it was fetched under, which
    /// every follow and unfollow takes away, so that nothing brings an erased person back.
    pub fn enrich(&self, due: &Due, profile: &Profile) -> Statement {
        stmt!(
            "UPDATE user_mapping SET \
             unionid = COALESCE(?, unionid), nickname = COALESCE(?, nickname), avatar_url = COALESCE(?, avatar_url), \
             sex = COALESCE(?, sex), city = COALESCE(?, city), province = COALESCE(?, province), \
             country = COALESCE(?, country), language = COALESCE(?, language), \
             subscribe_scene = COALESCE(?, subscribe_scene), remark = COALESCE(?, remark), \
             follow_time = CASE WHEN follow_time IS NULL OR follow_time <= unfollow_time THEN COALESCE(?, follow_time) \
             ELSE follow_time END, is_followed = 1, erased_at = NULL, \
             info_due_at = NULL, info_attempts = 0, info_error = NULL, info_lease = 0, updated_at = ? \
             WHERE account = ? AND openid = ? AND info_lease = ? \
             AND (is_followed = 1 OR follow_time = unfollow_time)",
            cut(&profile.unionid, 64),
            cut(&profile.nickname, TEXT_MAX),
            cut(&profile.avatar_url, 1024),
            profile.sex,
            cut(&profile.city, TEXT_MAX),
            cut(&profile.province, TEXT_MAX),
            cut(&profile.country, TEXT_MAX),
            cut(&profile.language, 32),
            cut(&profile.subscribe_scene, 64),
            cut(&profile.remark, TEXT_MAX),
            profile.follow_time,
            time_now(),
            due.account.as_str(),
            due.openid.as_str(),
            due.lease
        )
    }

    /// user/info says that the person does not follow. No event has told when they left, so
    /// `unfollow_time` stays; a later following counts as before.
    pub fn gone(&self, due: &Due, erase: bool) -> Statement {
        let blank = if erase { format!("{BLANK}, qr_scene = NULL, qr_scene_time = NULL, ") } else { String::new() };
        let sql = format!(
            "UPDATE user_mapping SET {blank}is_followed = 0, info_due_at = NULL, info_attempts = 0, info_error = NULL, \
             info_lease = 0, updated_at = ? WHERE account = ? AND openid = ? AND info_lease = ?"
        );
        stmt!(sql, time_now(), due.account.as_str(), due.openid.as_str(), due.lease)
    }

    /// user/info failed on the person: again at `due_at`, or never (`None`), with the reason.
    pub fn info_failed(&self, due: &Due, due_at: Option<i64>, error: &str) -> Statement {
        stmt!(
            "UPDATE user_mapping SET info_attempts = info_attempts + 1, info_due_at = ?, info_error = ?, info_lease = 0 \
             WHERE account = ? AND openid = ? AND info_lease = ?",
            due_at,
            error,
            due.account.as_str(),
            due.openid.as_str(),
            due.lease
        )
    }

    /// Gives a row back untouched: the channel was ill, not the person.
    pub fn info_postponed(&self, due: &Due) -> Statement {
        stmt!(
            "UPDATE user_mapping SET info_lease = 0 WHERE account = ? AND openid = ? AND info_lease = ?",
            due.account.as_str(),
            due.openid.as_str(),
            due.lease
        )
    }

    /// How many rows still wait for user/info.
    pub async fn due_count(&self) -> Result<i64> {
        let sql = "SELECT COUNT(*) FROM user_mapping WHERE info_due_at IS NOT NULL";
        Ok(self.row(sql, vec![], |row| row.int(0)).await?.unwrap_or(0))
    }

    /// One person of an account.
    pub async fn follower(&self, account: &str, openid: &str) -> Result<Option<Follower>> {
        let sql = format!("SELECT {COLUMNS} FROM user_mapping WHERE account = ? AND openid = ?");
        self.row(&sql, vec![account.into(), openid.into()], follower).await
    }

    /// Up to `limit` people, by id; the next page is asked with `after` = the last id.
    pub async fn followers_page(&self, filter: &FollowerFilter, after: i64, limit: i64) -> Result<Vec<Follower>> {
        let mut sql = format!("SELECT {COLUMNS} FROM user_mapping WHERE id > ?");
        let mut args = vec![Value::Int(after)];
        let conditions = [
            (" AND account = ?", filter.account.clone().map(Value::from)),
            (" AND is_followed = ?", filter.followed.map(Value::from)),
            (" AND follow_time >= ?", filter.since.map(Value::from)),
        ];
        for (condition, value) in conditions {
            if let Some(value) = value {
                sql.push_str(condition);
                args.push(value);
            }
        }
        sql.push_str(" ORDER BY id LIMIT ?");
        args.push(limit.into());
        self.rows(&sql, args, follower).await
    }
}

/// What `followers list` asks for; every field narrows.
#[derive(Debug, Clone, Default)]
pub struct FollowerFilter {
    /// Only this account.
    pub account: Option<String>,
    /// Only those who follow, or who do not.
    pub followed: Option<bool>,
    /// Only who followed at or after.
    pub since: Option<DateTime<Utc>>,
}

/// info_lease holds the lease's end in milliseconds times this, plus a number drawn by its holder.
const LEASE_UNIT: i64 = 1 << 20;

/// The scene of the latest event that told one; of two in one second the greater text, so that the
/// order of arrival does not matter.
fn set_scene(account: &str, openid: &str, at: DateTime<Utc>, scene: &str) -> Statement {
    let scene = cut(&Some(scene.to_owned()), TEXT_MAX);
    stmt!(
        "UPDATE user_mapping SET qr_scene = ?, qr_scene_time = ?, updated_at = ? WHERE account = ? AND openid = ? \
         AND (unfollow_time IS NULL OR unfollow_time < ?) \
         AND (qr_scene_time IS NULL OR qr_scene_time < ? OR (qr_scene_time = ? AND qr_scene < ?))",
        scene.clone(),
        at,
        time_now(),
        account,
        openid,
        at,
        at,
        at,
        scene
    )
}

fn cut(text: &Option<String>, max: usize) -> Option<String> {
    text.as_ref().map(|text| text.chars().take(max).collect())
}
