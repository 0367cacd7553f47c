//! `quota_ledger`: clears of the account's quota, written before they are asked for, and what the platform refused for
//! want of quota. Only what this installation did: a clear in the console counts too, and stands nowhere here.

use super::value::stmt;
use super::{Store, read, time_of};
use crate::domain::beijing;
use crate::error::Result;
use chrono::{DateTime, Utc};

/// By what a clear was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The access_token.
    Token,
    /// The AppSecret.
    Secret,
}

impl Way {
    /// The name, in the table and for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Way::Token => "token",
            Way::Secret => "secret",
        }
    }

    /// The API that is called.
    pub fn api(self) -> &'static str {
        match self {
            Way::Token => "clear_quota",
            Way::Secret => "clear_quota/v2",
        }
    }
}

/// How a clear ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cleared {
    /// It took effect: one of the month's ten.
    Ok,
    /// The platform said no.
    Refused,
    /// It was sent, and nobody knows what came of it.
    Unknown,
    /// It never left.
    Unsent,
}

impl Cleared {
    fn as_str(self) -> &'static str {
        match self {
            Cleared::Ok => "ok",
            Cleared::Refused => "refused",
            Cleared::Unknown => "unknown",
            Cleared::Unsent => "unsent",
        }
    }
}

/// A row of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: DateTime<Utc>,
    /// The API: of a clear the one that was asked, of a refusal the one that was refused.
    pub api: String,
    /// By what a clear was asked for: token, secret.
    pub way: Option<String>,
    /// asked, ok, refused, unknown, unsent.
    pub outcome: String,
    /// The platform's code, where it said no.
    pub errcode: Option<i64>,
    /// The platform's request id.
    pub rid: Option<String>,
    /// Host and process.
    pub who: String,
}

impl Entry {
    /// Whether it may have cost one of the month's ten: what was asked for and never answered, too.
    pub fn counts(&self) -> bool {
        matches!(self.outcome.as_str(), "asked" | "ok" | "unknown")
    }
}

/// A clear that was written down and is now asked for.
#[derive(Debug)]
pub struct Asked {
    account: String,
    at: DateTime<Utc>,
}

impl Store {
    /// The clears of an account since `since_ms`, oldest first.
    pub async fn quota_clears(&self, account: &str, since_ms: i64) -> Result<Vec<Entry>> {
        self.quota_entries(account, "clear", since_ms).await
    }

    /// What the platform refused an account since `since_ms` for want of quota, oldest first.
    pub async fn quota_refusals(&self, account: &str, since_ms: i64) -> Result<Vec<Entry>> {
        self.quota_entries(account, "refusal", since_ms).await
    }

    async fn quota_entries(&self, account: &str, kind: &str, since_ms: i64) -> Result<Vec<Entry>> {
        let sql = "SELECT at, api, way, outcome, errcode, rid, who FROM quota_ledger \
                   WHERE account = ? AND kind = ? AND at >= ? ORDER BY at, id";
        self.rows(sql, vec![account.into(), kind.into(), time_of(since_ms).into()], entry).await
    }

    /// Writes a clear down before it is asked for; whoever does holds the account's lease for it, so that `now_ms` names
    /// it.
    pub async fn ask_clear(&self, account: &str, way: Way, now_ms: i64, who: &str) -> Result<Asked> {
        let sql = "INSERT INTO quota_ledger (account, at, kind, api, way, outcome, who) \
                   VALUES (?, ?, 'clear', ?, ?, 'asked', ?)";
        let at = time_of(now_ms);
        self.commit(vec![stmt!(sql, account, at, way.api(), way.as_str(), who)]).await?;
        Ok(Asked { account: account.to_owned(), at })
    }

    /// Writes how a clear ended. One that took effect also opens what was paused for want of quota; how many channels
    /// that were.
    pub async fn end_clear(
        &self,
        asked: &Asked,
        outcome: Cleared,
        errcode: Option<i64>,
        rid: Option<&str>,
    ) -> Result<u64> {
        let end = "UPDATE quota_ledger SET outcome = ?, errcode = ?, rid = ? \
                   WHERE account = ? AND at = ? AND kind = 'clear' AND outcome = 'asked'";
        let account = asked.account.as_str();
        let mut statements = vec![stmt!(end, outcome.as_str(), errcode, rid, account, asked.at)];
        if outcome == Cleared::Ok {
            let open = "DELETE FROM channel WHERE account = ? AND reason LIKE '%errcode 45009%'";
            statements.push(stmt!(open, account));
        }
        Ok(self.commit(statements).await?.get(1).copied().unwrap_or_default())
    }

    /// Notes that the platform refused an API for want of quota: once a day of Beijing.
    pub async fn note_refusal(
        &self,
        account: &str,
        api: &str,
        errcode: i64,
        rid: Option<&str>,
        now_ms: i64,
        who: &str,
    ) -> Result<()> {
        let sql = format!(
            "{} INTO quota_ledger (account, at, kind, api, outcome, errcode, rid, who, refused_day) \
             VALUES (?, ?, 'refusal', ?, 'refused', ?, ?, ?, ?)",
            self.dialect.insert_new()
        );
        let day = beijing::day(now_ms);
        self.commit(vec![stmt!(sql, account, time_of(now_ms), api, errcode, rid, who, day)]).await.map(drop)
    }
}

fn entry(row: &read::Row) -> Result<Entry> {
    Ok(Entry {
        at: row.time(0)?,
        api: row.text(1)?,
        way: row.opt_text(2)?,
        outcome: row.text(3)?,
        errcode: row.opt_int(4)?,
        rid: row.opt_text(5)?,
        who: row.text(6)?,
    })
}
