//! `token_history`: which token came when and by whom, and which of them was refused. A token itself does not stand in
//! it, only the beginning of its SHA-256.

use super::read::Row;
use super::value::stmt;
use super::{Dialect, NewToken, Statement, Store, time_of};
use crate::domain::token::digest;
use crate::error::Result;
use chrono::{DateTime, Utc};

/// Generations that are remembered of an account: half a year of a quiet one.
const KEPT: i64 = 2_000;

/// A token that was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastToken {
    /// Its place in the line.
    pub generation: i64,
    /// The beginning of its SHA-256, in hex.
    pub digest: String,
    /// `stable_token`, `forced`, `token`, `gettoken`, `token_from` or `token set`.
    pub source: String,
    /// Which process brought it.
    pub who: String,
    /// When.
    pub stored_at: DateTime<Utc>,
    /// When it was to end, milliseconds; `None`: not known.
    pub expires_at: Option<i64>,
    /// The first time that it was refused.
    pub refused: Option<Refusal>,
    /// How often it was.
    pub refusals: i64,
}

/// Who met the refusal of a token, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// When.
    pub at: DateTime<Utc>,
    /// 40001, 40014 or 42001; `None` where another system told of it.
    pub code: Option<i64>,
    /// The API that refused it.
    pub api: String,
    /// The platform's request id.
    pub rid: Option<String>,
    /// The process that called, or the client that told.
    pub who: String,
}

/// Remembers a token, where it was stored just now as the one after `generation`.
pub(super) fn remember(dialect: Dialect, account: &str, generation: i64, new: &NewToken<'_>) -> Statement {
    let sql = format!(
        "{} INTO token_history (account, generation, digest, source, who, stored_at, expires_at) \
         SELECT account, generation, ?, ?, ?, ?, ? FROM access_token WHERE account = ? AND generation = ? AND token = ?",
        dialect.insert_new()
    );
    let NewToken { text, source, who, expires_at, now_ms, .. } = *new;
    stmt!(sql, digest(text), source, who, time_of(now_ms), expires_at, account, generation + 1, text.reveal())
}

fn past(row: &Row) -> Result<PastToken> {
    let refused = match row.opt_time(6)? {
        Some(at) => Some(Refusal {
            at,
            code: row.opt_int(7)?,
            api: row.opt_text(8)?.unwrap_or_default(),
            rid: row.opt_text(9)?,
            who: row.opt_text(10)?.unwrap_or_default(),
        }),
        None => None,
    };
    Ok(PastToken {
        generation: row.int(0)?,
        digest: row.text(1)?,
        source: row.text(2)?,
        who: row.text(3)?,
        stored_at: row.time(4)?,
        expires_at: row.opt_int(5)?,
        refused,
        refusals: row.int(11)?,
    })
}

impl Store {
    /// Notes that the token of a generation was refused; the first time stays.
    pub async fn token_refused(&self, account: &str, generation: i64, refusal: &Refusal) -> Result<()> {
        let Refusal { at, code, api, rid, who } = refusal;
        let sql = "UPDATE token_history SET refused_code = CASE WHEN refused_at IS NULL THEN ? ELSE refused_code END, \
                   refused_api = CASE WHEN refused_at IS NULL THEN ? ELSE refused_api END, \
                   refused_rid = CASE WHEN refused_at IS NULL THEN ? ELSE refused_rid END, \
                   refused_who = CASE WHEN refused_at IS NULL THEN ? ELSE refused_who END, \
                   refused_at = COALESCE(refused_at, ?), refusals = refusals + 1 WHERE account = ? AND generation = ?";
        let noted = stmt!(sql, *code, api.as_str(), rid.as_deref(), who.as_str(), *at, account, generation);
        let old = stmt!("DELETE FROM token_history WHERE account = ? AND generation <= ?", account, generation - KEPT);
        self.commit(vec![noted, old]).await.map(drop)
    }

    /// The latest tokens of an account, the newest first.
    pub async fn past_tokens(&self, account: &str, limit: i64) -> Result<Vec<PastToken>> {
        let sql = "SELECT generation, digest, source, who, stored_at, expires_at, refused_at, refused_code, refused_api, \
                   refused_rid, refused_who, refusals FROM token_history WHERE account = ? \
                   ORDER BY generation DESC LIMIT ?";
        self.rows(sql, vec![account.into(), limit.into()], past).await
    }
}
