//! `mass_finished` and `publish_finished`: how sends and publications ended, as events told it (reference 2.3).
//! A repeated event changes nothing, a late one does not replace a newer one, and a field that an event leaves out does
//! not take away what another told.

use super::follow::cut;
use super::value::stmt;
use super::{Statement, Store};
use chrono::{DateTime, Utc};

/// Longest status and article_id, in characters: what the columns hold.
const STATUS_MAX: usize = 64;
const ARTICLE_ID_MAX: usize = 128;

/// The event that told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word<'a> {
    /// The account's name.
    pub account: &'a str,
    /// inbox_event.id
    pub event_id: i64,
    /// CreateTime.
    pub at: DateTime<Utc>,
}

/// The end of a mass send.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MassFinished {
    /// MsgID: up to 20 digits.
    pub msg_id: String,
    /// `send success`, `send fail`, `err(…)`.
    pub status: Option<String>,
    /// Followers of the tag or list.
    pub total: Option<i64>,
    /// Of these, after filters.
    pub filtered: Option<i64>,
    /// Who got it; the event comes shortly before the end, so it is about right.
    pub sent: Option<i64>,
    /// Who could not get it.
    pub errors: Option<i64>,
    /// 1 no reprint, 2 a reprint that may be sent, 3 must not be sent.
    pub check_state: Option<i64>,
    /// What the check says of each article, JSON.
    pub copyright: Option<String>,
    /// Where each article stands, JSON.
    pub article_urls: Option<String>,
}

/// The end of a publication.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PublishFinished {
    /// publish_id: letters, digits, `_` and `-`, 64 at the most.
    pub publish_id: String,
    /// 0 done, 1 running, 2 originality, 3 failed, 4 refused, 5 deleted, 6 blocked.
    pub status: Option<i64>,
    /// The article, where it was published.
    pub article_id: Option<String>,
    /// Where each article stands, JSON.
    pub article_urls: Option<String>,
    /// Numbers of the articles that failed, JSON.
    pub failed: Option<String>,
}

impl Store {
    /// A mass send ended.
    pub fn mass_finished(&self, word: &Word<'_>, told: &MassFinished) -> Vec<Statement> {
        let Word { account, event_id, at } = *word;
        let bare = format!(
            "{} INTO mass_finished (account, msg_id, event_id, event_time) VALUES (?, ?, ?, ?)",
            self.dialect.insert_new()
        );
        vec![
            stmt!(bare, account, told.msg_id.as_str(), event_id, at),
            stmt!(
                "UPDATE mass_finished SET status = COALESCE(?, status), total_count = COALESCE(?, total_count), \
                 filter_count = COALESCE(?, filter_count), sent_count = COALESCE(?, sent_count), \
                 error_count = COALESCE(?, error_count), check_state = COALESCE(?, check_state), \
                 copyright = COALESCE(?, copyright), article_urls = COALESCE(?, article_urls), event_id = ?, \
                 event_time = ? WHERE account = ? AND msg_id = ? AND event_time <= ?",
                cut(&told.status, STATUS_MAX),
                told.total,
                told.filtered,
                told.sent,
                told.errors,
                told.check_state,
                told.copyright.as_deref(),
                told.article_urls.as_deref(),
                event_id,
                at,
                account,
                told.msg_id.as_str(),
                at
            ),
        ]
    }

    /// A publication ended.
    pub fn publish_finished(&self, word: &Word<'_>, told: &PublishFinished) -> Vec<Statement> {
        let Word { account, event_id, at } = *word;
        let bare = format!(
            "{} INTO publish_finished (account, publish_id, event_id, event_time) VALUES (?, ?, ?, ?)",
            self.dialect.insert_new()
        );
        vec![
            stmt!(bare, account, told.publish_id.as_str(), event_id, at),
            stmt!(
                "UPDATE publish_finished SET status = COALESCE(?, status), article_id = COALESCE(?, article_id), \
                 article_urls = COALESCE(?, article_urls), failed = COALESCE(?, failed), event_id = ?, event_time = ? \
                 WHERE account = ? AND publish_id = ? AND event_time <= ?",
                told.status,
                cut(&told.article_id, ARTICLE_ID_MAX),
                told.article_urls.as_deref(),
                told.failed.as_deref(),
                event_id,
                at,
                account,
                told.publish_id.as_str(),
                at
            ),
        ]
    }
}
