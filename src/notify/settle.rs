//! Writes how messages went: what has come in meanwhile, in one commit.

use super::hand::Message;
use super::judge::{Channel, Verdict};
use super::pass::{Notifier, Shared};
use super::recipients::Recipients;
use crate::error::Result;
use crate::platform::wecom::message::Sent;
use crate::store::queue::{Counted, Ending, Fate};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Messages that are settled together.
const TOGETHER: usize = 64;
/// So often, and with so long between, the database is asked again to write an outcome down.
const TRIES: u32 = 5;
const BETWEEN: Duration = Duration::from_millis(500);

/// A message, and how it went.
pub struct Went {
    /// The message.
    pub message: Message,
    fate: Fate,
    counted: Counted,
    comes_back_ms: Option<i64>,
}

impl Went {
    /// It was taken, as far as the answer says.
    pub fn sent(message: Message, sent: Sent) -> Went {
        let fate = if message.recipients.later.is_empty() {
            Fate::Sent { msgid: sent.msgid.clone(), partly: missed(&sent) }
        } else {
            let recipients = Recipients::of(message.recipients.later.clone()).write();
            Fate::Rest { recipients, in_ms: 0 }
        };
        Went { message, fate, counted: Counted::Sent, comes_back_ms: None }
    }

    /// It was refused, or nobody knows. What is refused for good goes out by the other way, where there is one.
    pub fn failed(message: Message, verdict: Verdict) -> Went {
        let Verdict { fate, counted, channel } = verdict;
        let dead = matches!(fate, Fate::Dead { .. });
        let fate = match (fate, message.fallback) {
            (Fate::Dead { answered: true, .. }, _) if message.rows.len() > 1 => Fate::Apart,
            (Fate::Dead { reason, .. } | Fate::Back { reason: Some(reason), .. }, Some(via))
                if dead || matches!(channel, Channel::Stopped | Channel::Paused(_)) =>
            {
                Fate::Other {
                    channel: via.as_str(),
                    recipients: Recipients::of(message.recipients.all()).write(),
                    reason,
                }
            }
            (fate, _) => fate,
        };
        let comes_back_ms = match (&fate, channel) {
            (Fate::Unknown { in_ms, .. }, _) | (Fate::Back { in_ms, .. }, Channel::Crowded) => Some(*in_ms),
            (Fate::Back { in_ms, .. }, Channel::Silent) => Some((*in_ms).max(200)),
            _ => None,
        };
        Went { message, fate, counted, comes_back_ms }
    }

    /// Its way is closed, or the pass is to end: due again as it is.
    pub fn not_sent(message: Message) -> Went {
        let fate = Fate::Back { in_ms: 0, thaw: !message.repeated && message.rows.len() == 1, reason: None };
        Went { message, fate, counted: Counted::Not, comes_back_ms: None }
    }
}

/// Whom an answer names as not reached: a partial failure, with errcode 0 (WeCom reference 3).
pub(super) fn missed(sent: &Sent) -> Option<String> {
    let lists = [
        ("invaliduser", &sent.invalid_users),
        ("invalidparty", &sent.invalid_parties),
        ("invalidtag", &sent.invalid_tags),
        ("unlicenseduser", &sent.unlicensed),
    ];
    let named: Vec<String> = lists
        .iter()
        .filter(|(_, list)| !list.is_empty())
        .map(|(name, list)| format!("{name}: {}", list.join("|")))
        .collect();
    (!named.is_empty()).then(|| named.join("; "))
}

/// Takes in how messages went, and writes it.
pub(super) struct Settler {
    notifier: Arc<Notifier>,
    shared: Arc<Shared>,
}

impl Settler {
    pub fn new(notifier: Arc<Notifier>, shared: Arc<Shared>) -> Self {
        Settler { notifier, shared }
    }

    /// Until nobody sends any more.
    pub async fn run(self, mut results: mpsc::Receiver<Went>) -> Result<()> {
        let mut all = Vec::with_capacity(TOGETHER);
        let mut failed = None;
        while results.recv_many(&mut all, TOGETHER).await > 0 {
            if let Err(error) = self.write(&all).await {
                // What is not written is recovered by the end of its lease, marked as what may have gone out.
                failed.get_or_insert(error);
            }
            all.clear();
        }
        failed.map_or(Ok(()), Err)
    }

    async fn write(&self, all: &[Went]) -> Result<()> {
        let endings: Vec<Ending> = all.iter().flat_map(|went| went.message.endings(&went.fate)).collect();
        let counted: Vec<_> =
            all.iter().map(|went| (went.message.budget.clone(), went.message.lead(), went.counted)).collect();
        let mut tries = 0;
        loop {
            tries += 1;
            match self.notifier.db.settle_notices(&endings, &counted).await {
                Ok(_) => break,
                Err(error) if tries >= TRIES => return Err(error),
                Err(_) => tokio::time::sleep(BETWEEN).await,
            }
        }
        for went in all {
            self.tell(went);
        }
        Ok(())
    }

    fn tell(&self, went: &Went) {
        let Message { rows, repeated, via, .. } = &went.message;
        let rows = rows.len() as u64;
        if let Some(in_ms) = went.comes_back_ms {
            self.shared.trouble.comes_back(in_ms);
        }
        self.shared.count(|counts| {
            let answered = matches!(went.counted, Counted::Sent);
            counts.repeated += u64::from(*repeated && answered);
            match &went.fate {
                Fate::Sent { partly, .. } => {
                    counts.sent += rows;
                    counts.messages += 1;
                    counts.digests += u64::from(rows > 1);
                    counts.partly += if partly.is_some() { rows } else { 0 };
                }
                Fate::Rest { .. } => counts.messages += 1,
                Fate::Again { .. } => counts.again += rows,
                Fate::Unknown { .. } => counts.unknown += rows,
                Fate::Dead { .. } => counts.dead += rows,
                Fate::Back { .. } | Fate::Apart | Fate::Other { .. } => {}
            }
        });
        let (row, via) = (went.message.lead(), via.as_str());
        match &went.fate {
            Fate::Sent { partly: Some(missed), .. } => tracing::warn!(row, via, missed, "sent, but not to everybody"),
            Fate::Dead { reason, .. } => tracing::error!(row, via, reason, "given up"),
            Fate::Again { reason, in_ms, .. } => tracing::warn!(row, via, reason, in_ms, "to be tried again"),
            Fate::Unknown { reason, .. } => {
                tracing::warn!(row, via, reason, "it may have arrived: the same bytes go out again")
            }
            Fate::Other { channel, reason, .. } => tracing::warn!(row, via, reason, instead = channel, "refused"),
            _ => {}
        }
    }
}
