//! What user/info writes into `user_mapping`: claimed when due, written only under the lease.

use super::erasure::{Beside, gone_elsewhere};
use super::follow::{BLANK, TEXT_MAX, cut};
use super::value::{Value, places, stmt};
use super::{LEASE_MS, Statement, Store, time_now};
use crate::error::Result;
use chrono::{DateTime, Utc};

/// info_lease holds the lease's end in milliseconds times this, plus a number drawn by its holder.
const LEASE_UNIT: i64 = 1 << 20;

/// What user/info knows of a person; `None` never overwrites what is known.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Profile {
    /// See [`super::Follower::unionid`].
    pub unionid: Option<String>,
    /// See [`super::Follower::nickname`].
    pub nickname: Option<String>,
    /// See [`super::Follower::avatar_url`].
    pub avatar_url: Option<String>,
    /// See [`super::Follower::sex`].
    pub sex: Option<i64>,
    /// See [`super::Follower::city`].
    pub city: Option<String>,
    /// See [`super::Follower::province`].
    pub province: Option<String>,
    /// See [`super::Follower::country`].
    pub country: Option<String>,
    /// See [`super::Follower::language`].
    pub language: Option<String>,
    /// See [`super::Follower::subscribe_scene`].
    pub subscribe_scene: Option<String>,
    /// See [`super::Follower::remark`].
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

impl Store {
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
             unionid = COALESCE(?5, unionid), nickname = COALESCE(?6, nickname), avatar_url = COALESCE(?7, avatar_url), \
             sex = COALESCE(?8, sex), city = COALESCE(?9, city), province = COALESCE(?10, province), \
             country = COALESCE(?11, country), language = COALESCE(?12, language), \
             subscribe_scene = COALESCE(?13, subscribe_scene), remark = COALESCE(?14, remark), \
             follow_time = CASE WHEN follow_time IS NULL OR follow_time <= unfollow_time THEN COALESCE(?15, follow_time) \
             ELSE follow_time END, is_followed = 1, erased_at = NULL, \
             info_due_at = NULL, info_attempts = 0, info_error = NULL, info_lease = 0, updated_at = ?4 \
             WHERE account = ?1 AND openid = ?2 AND info_lease = ?3 \
             AND (is_followed = 1 OR follow_time = unfollow_time OR follow_time = erased_to)",
            due.account.as_str(),
            due.openid.as_str(),
            due.lease,
            time_now(),
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
            profile.follow_time
        )
    }

    /// user/info says that the person does not follow. No event has told when they left, so
    /// `unfollow_time` stays; a later following counts as before. With `erase` what came in before it was
    /// asked is erased, and `erase` tells who else has to erase.
    pub fn gone(&self, due: &Due, erase: Option<Beside<'_>>) -> Vec<Statement> {
        // What is blanked is found by it: as the column keeps it.
        let now = self.kept(time_now());
        let blank = if erase.is_some() {
            format!("{BLANK}, qr_scene = NULL, qr_scene_time = NULL, erased_at = ?4, ")
        } else {
            String::new()
        };
        let sql = format!(
            "UPDATE user_mapping SET {blank}is_followed = 0, info_due_at = NULL, info_attempts = 0, info_error = NULL, \
             info_lease = 0, updated_at = ?4 WHERE account = ?1 AND openid = ?2 AND info_lease = ?3"
        );
        let mut statements = vec![stmt!(sql, due.account.as_str(), due.openid.as_str(), due.lease, now)];
        if let Some(beside) = erase {
            let asked = DateTime::from_timestamp_millis(due.lease / LEASE_UNIT - LEASE_MS).unwrap_or(now);
            statements.extend(gone_elsewhere(self.dialect, &due.account, &due.openid, now, asked, beside));
        }
        statements
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
}
