//! `user_mapping` as it is read: one row an (account, openid).

use super::Store;
use super::read::Row;
use super::value::Value;
use crate::error::Result;
use chrono::{DateTime, Utc};

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

impl Store {
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
