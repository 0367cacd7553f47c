//! What becomes of a row in hand: its message is frozen before the first call, and how it went is written after it. Each
//! statement asks whether the lease is still ours: who has lost it changes nothing.

use super::super::value::stmt;
use super::super::{Statement, Store, Value};
use super::pace::Counted;
use super::words::Words;
use crate::error::Result;

/// Letters of a reason that are kept, and of a message id.
const REASON: usize = 512;
const MSGID: usize = 128;

/// A message that is to be sent as it is, however often.
#[derive(Debug, Clone)]
pub struct Frozen {
    /// The row whose message it is.
    pub id: i64,
    /// The lease that it and the others are held by.
    pub lease: String,
    /// The others that it tells of, each with its lease.
    pub others: Vec<(i64, String)>,
    /// `app` or `robot`.
    pub channel: &'static str,
    /// Who is told by it, and who is still to be told by another, JSON.
    pub recipients: String,
    /// The bytes.
    pub body: String,
}

/// How a row ends, or goes on.
#[derive(Debug, Clone, PartialEq)]
pub enum Fate {
    /// It was sent.
    Sent {
        /// The platform's number of it.
        msgid: Option<String>,
        /// Whom it did not reach, in the platform's own words.
        partly: Option<String>,
    },
    /// Sent to some, and due for the others, JSON, in so many milliseconds.
    Rest {
        /// Who is still to be told.
        recipients: String,
        /// From now.
        in_ms: i64,
    },
    /// An answered send that failed: again in so many milliseconds, by the same bytes.
    Again {
        /// From now.
        in_ms: i64,
        /// Why.
        code: Option<i64>,
        /// Why.
        reason: String,
    },
    /// Nobody knows whether it arrived: the same bytes again.
    Unknown {
        /// From now.
        in_ms: i64,
        /// What is known.
        reason: String,
    },
    /// It can't get better, or its attempts are spent.
    Dead {
        /// Why.
        code: Option<i64>,
        /// Why.
        reason: String,
        /// Whether the platform has answered a send.
        answered: bool,
    },
    /// Nothing was sent: due again in so many milliseconds, as it was.
    Back {
        /// From now.
        in_ms: i64,
        /// Whether its frozen message is to be made anew.
        thaw: bool,
        /// Why, where it is worth a word.
        reason: Option<String>,
    },
    /// Refused by one way, and due at once by another.
    Other {
        /// By which.
        channel: &'static str,
        /// Who is to be told, JSON.
        recipients: String,
        /// Why the first refused it.
        reason: String,
    },
    /// A message of several that can't get better: each is sent alone.
    Apart,
}

/// A row, and how it goes on.
#[derive(Debug, Clone)]
pub struct Ending {
    /// Which row.
    pub id: i64,
    /// The lease that it is held by.
    pub lease: String,
    /// How it goes on.
    pub fate: Fate,
}

impl Fate {
    /// Nothing was sent: due again in so many milliseconds, as it was.
    pub fn back(in_ms: i64) -> Fate {
        Fate::Back { in_ms, thaw: false, reason: None }
    }
}

impl Store {
    /// Freezes messages before their first call; tells which of them are still ours to send.
    pub async fn freeze(&self, messages: &[Frozen]) -> Result<Vec<bool>> {
        let stamp = Words(self.dialect).stamp();
        let mut all = Vec::with_capacity(messages.len());
        let mut leads = Vec::with_capacity(messages.len());
        for message in messages {
            leads.push(all.len());
            let ids: Vec<i64> = std::iter::once(message.id).chain(message.others.iter().map(|(id, _)| *id)).collect();
            let digest = (ids.len() > 1).then(|| serde_json::json!(ids).to_string());
            let of = (ids.len() > 1).then_some(message.id);
            let sql = format!(
                "UPDATE member_notification_queue SET body = ?, recipients = ?, channel = ?, \
                 digest_id = COALESCE(?, digest_id), digest = ?, updated_at = {stamp} \
                 WHERE id = ? AND lease_token = ? AND status = 'processing'"
            );
            let (body, to, lease) = (message.body.as_str(), message.recipients.as_str(), message.lease.as_str());
            all.push(stmt!(sql, body, to, message.channel, of, digest, message.id, lease));
            for (id, lease) in &message.others {
                let sql = format!(
                    "UPDATE member_notification_queue SET body = ?, recipients = ?, channel = ?, digest_id = ?, \
                     digest = NULL, updated_at = {stamp} WHERE id = ? AND lease_token = ? AND status = 'processing'"
                );
                all.push(stmt!(sql, body, to, message.channel, message.id, *id, lease.as_str()));
            }
        }
        let counts = self.commit(all).await?;
        Ok(leads.iter().map(|at| counts[*at] == 1).collect())
    }

    /// Writes how rows go on, and how the messages counted that have taken shares (application, row).
    pub async fn settle_notices(&self, endings: &[Ending], counted: &[(String, i64, Counted)]) -> Result<u64> {
        let mut all: Vec<Statement> = counted.iter().map(|(app, id, how)| self.counted(app, *id, *how)).collect();
        let begun = all.len();
        all.extend(endings.iter().map(|ending| self.ending(ending)));
        if all.is_empty() {
            return Ok(0);
        }
        let counts = self.commit(all).await?;
        let mut lost = 0;
        for (_, ending) in counts[begun..].iter().zip(endings).filter(|(count, _)| **count == 0) {
            lost += 1;
            tracing::debug!(row = ending.id, "its lease was lost");
        }
        Ok(lost)
    }

    fn ending(&self, ending: &Ending) -> Statement {
        let words = Words(self.dialect);
        let stamp = words.stamp();
        let free = format!("lease_token = NULL, locked_by = NULL, locked_until = NULL, updated_at = {stamp}");
        let unsaid = "body = NULL, digest = NULL, digest_id = CASE WHEN digest_id = 0 THEN 0 ELSE NULL END";
        let thaw = format!("{unsaid}, channel = NULL");
        let (set, args): (String, Vec<Value>) = match &ending.fate {
            Fate::Sent { msgid, partly } => (
                format!(
                    "status = 'sent', attempts = attempts + 1, wecom_msgid = ?, last_error_code = NULL, last_error = ?, \
                     processed_at = {stamp}"
                ),
                vec![cut(msgid.as_deref(), MSGID), cut(partly.as_deref(), REASON)],
            ),
            Fate::Rest { recipients, in_ms } => (
                format!("status = 'pending', available_at = {}, recipients = ?, {thaw}", words.after(*in_ms)),
                vec![recipients.as_str().into()],
            ),
            Fate::Again { in_ms, code, reason } => (
                format!(
                    "status = 'pending', attempts = attempts + 1, available_at = {}, last_error_code = ?, last_error = ?",
                    words.after(*in_ms)
                ),
                vec![(*code).into(), cut(Some(reason), REASON)],
            ),
            Fate::Unknown { in_ms, reason } => (
                format!("status = 'pending', suspect = 1, available_at = {}, last_error = ?", words.after(*in_ms)),
                vec![cut(Some(reason), REASON)],
            ),
            Fate::Dead { code, reason, answered } => (
                format!(
                    "status = 'dead', attempts = attempts + {}, last_error_code = ?, last_error = ?, processed_at = {stamp}",
                    i64::from(*answered)
                ),
                vec![(*code).into(), cut(Some(reason), REASON)],
            ),
            Fate::Back { in_ms, thaw: anew, reason } => (
                format!(
                    "status = 'pending', available_at = {}, last_error = COALESCE(?, last_error){}",
                    words.after(*in_ms),
                    if *anew { format!(", {thaw}") } else { String::new() }
                ),
                vec![cut(reason.as_deref(), REASON)],
            ),
            Fate::Other { channel, recipients, reason } => (
                format!(
                    "status = 'pending', attempts = attempts + 1, available_at = {}, {unsaid}, channel = ?, recipients = ?, \
                     last_error = ?",
                    words.now()
                ),
                vec![(*channel).into(), recipients.as_str().into(), cut(Some(reason), REASON)],
            ),
            Fate::Apart => (
                format!(
                    "status = 'pending', available_at = {}, body = NULL, channel = NULL, digest = NULL, digest_id = 0",
                    words.now()
                ),
                vec![],
            ),
        };
        let sql = format!(
            "UPDATE member_notification_queue SET {set}, {free} WHERE id = ? AND lease_token = ? AND status = 'processing'"
        );
        let mut statement = stmt!(sql);
        statement.args.extend(args);
        statement.args.extend([Value::Int(ending.id), ending.lease.as_str().into()]);
        statement
    }
}

fn cut(text: Option<&str>, most: usize) -> Value {
    text.map(|text| text.chars().take(most).collect::<String>()).into()
}
