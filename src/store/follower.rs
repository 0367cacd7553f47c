//! `user_mapping` as it is read: one row an (account, openid).

use super::filter::Condition;
use super::read::Row;
use super::value::{Statement, Value};
use super::{Dialect, Store};
use crate::domain::filter::{Field, Filter, Kind};
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
    /// When the row was made; another program may not say.
    pub created_at: Option<DateTime<Utc>>,
    /// When it was changed last; another program may not say.
    pub updated_at: Option<DateTime<Utc>>,
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
        // Another program may know people without one.
        openid: row.opt_text(2)?.unwrap_or_default(),
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
        is_followed: row.opt_int(14)?.unwrap_or_default() != 0,
        follow_time: row.opt_time(15)?,
        unfollow_time: row.opt_time(16)?,
        created_at: row.opt_time(17)?,
        updated_at: row.opt_time(18)?,
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
        self.page(COLUMNS, filter, after, limit, follower).await
    }

    /// The same with any columns: the id, and the cells of a row.
    pub async fn followers_cells(
        &self,
        columns: &[&'static Field],
        filter: &FollowerFilter,
        after: i64,
        limit: i64,
    ) -> Result<Vec<(i64, Vec<Value>)>> {
        let names: String = columns.iter().map(|field| format!(", {}", field.name)).collect();
        self.page(&format!("id{names}"), filter, after, limit, |row| {
            let cells = columns.iter().enumerate().map(|(at, field)| cell(row, at + 1, field.kind));
            Ok((row.int(0)?, cells.collect::<Result<_>>()?))
        })
        .await
    }

    /// Pages by id and never by OFFSET: no snapshot is held between them, and no row comes twice.
    async fn page<T>(
        &self,
        columns: &str,
        filter: &FollowerFilter,
        after: i64,
        limit: i64,
        map: impl Fn(&Row) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut condition = filter.condition(self.dialect);
        condition.and("id > ?", Some(after.into()));
        let Condition { sql, mut args } = condition;
        let from = self.dialect.followers_by_id();
        args.push(limit.into());
        self.rows(&format!("SELECT {columns} FROM {from} WHERE {sql} ORDER BY id LIMIT ?"), args, map).await
    }

    /// The highest id there is; what comes later has a higher one.
    pub async fn last_follower_id(&self) -> Result<i64> {
        let last = self.row("SELECT MAX(id) FROM user_mapping", vec![], |row| row.opt_int(0)).await?;
        Ok(last.flatten().unwrap_or(0))
    }

    /// How many people a filter finds.
    pub async fn count_followers(&self, filter: &FollowerFilter) -> Result<i64> {
        let Statement { sql, args } = self.count_statement(filter);
        Ok(self.row(&sql, args, |row| row.int(0)).await?.unwrap_or(0))
    }

    /// The statement behind [`Store::count_followers`].
    pub fn count_statement(&self, filter: &FollowerFilter) -> Statement {
        let Condition { sql, args } = filter.condition(self.dialect);
        let narrowed = if sql.is_empty() { "" } else { " WHERE " };
        Statement { sql: format!("SELECT COUNT(*) FROM user_mapping{narrowed}{sql}").into(), args }
    }

    /// Which of these names no tag has.
    pub async fn unknown_tags(&self, names: &[&str]) -> Result<Vec<String>> {
        let known = self.rows("SELECT name FROM tag", vec![], |row| row.text(0)).await?;
        Ok(names
            .iter()
            .filter(|name| !known.iter().any(|known| known == *name))
            .map(|name| (*name).to_owned())
            .collect())
    }
}

fn cell(row: &Row, at: usize, kind: Kind) -> Result<Value> {
    Ok(match kind {
        Kind::Text => row.opt_text(at)?.into(),
        Kind::Time => row.opt_time(at)?.into(),
        // No column of ours is of one of the last two kinds.
        Kind::Sex | Kind::Flag | Kind::Number | Kind::Due | Kind::Tag | Kind::Decimal | Kind::Any => {
            row.opt_int(at)?.into()
        }
    })
}

/// Which people are asked for; every field narrows.
#[derive(Debug, Clone, Default)]
pub struct FollowerFilter {
    /// Only this account.
    pub account: Option<String>,
    /// Only those who follow, or who do not.
    pub followed: Option<bool>,
    /// Only who followed at or after.
    pub since: Option<DateTime<Utc>>,
    /// Not those whose data was erased.
    pub not_erased: bool,
    /// Only those of this filter.
    pub matching: Option<Filter>,
    /// Only rows that were there by then, so that a list ends while people come.
    pub last_id: Option<i64>,
}

impl FollowerFilter {
    fn condition(&self, dialect: Dialect) -> Condition {
        let mut condition = Condition::default();
        let parts = [
            ("account = ?", self.account.clone().map(Value::from)),
            ("is_followed = ?", self.followed.map(Value::from)),
            ("follow_time >= ?", self.since.map(Value::from)),
            ("id <= ?", self.last_id.map(Value::from)),
        ];
        for (sql, value) in parts.into_iter().filter(|(_, value)| value.is_some()) {
            condition.and(sql, value);
        }
        if self.not_erased {
            condition.and("erased_at IS NULL", None);
        }
        if let Some(filter) = &self.matching {
            condition.and_filter(filter, dialect);
        }
        condition
    }
}
