//! What a pass has in hand: rows that are claimed, and messages that are ready to be sent.

use super::book::Plan;
use super::recipients::Recipients;
use crate::domain::notice::{Notice, Recipient, Via};
use crate::store::queue::{Claimed, Ending, Fate, Frozen};

/// What rows are put together by.
pub type Pile = (&'static str, Vec<String>);

/// A claimed row whose message is not frozen yet.
#[derive(Debug, Clone)]
pub struct InHand {
    /// As it was claimed.
    pub row: Claimed,
    /// What it tells.
    pub notice: Notice,
    /// What is to be done about it.
    pub plan: Plan,
    /// By which way now: the plan's, or its other one.
    pub via: Via,
    /// Who is still to be told.
    pub to: Vec<Recipient>,
}

/// A message to be sent as it is.
#[derive(Debug, Clone)]
pub struct Message {
    /// The rows that it tells of, the one whose message it is first, each with its lease.
    pub rows: Vec<(i64, String)>,
    /// By which way.
    pub via: Via,
    /// Whose budget it takes from.
    pub budget: String,
    /// Who.
    pub recipients: Recipients,
    /// The bytes.
    pub body: String,
    /// Answered sends before.
    pub attempts: i64,
    /// So many, and it is dead.
    pub max_attempts: i64,
    /// Whether it may have gone out before.
    pub repeated: bool,
    /// Where it goes when this way refuses it.
    pub fallback: Option<Via>,
}

impl Message {
    /// The row whose message it is.
    pub fn lead(&self) -> i64 {
        self.rows.first().map_or(0, |(id, _)| *id)
    }

    /// As it is frozen.
    pub fn frozen(&self) -> Frozen {
        let (id, lease) = self.rows.first().cloned().unwrap_or_default();
        Frozen {
            id,
            lease,
            others: self.rows.iter().skip(1).cloned().collect(),
            channel: self.via.as_str(),
            recipients: self.recipients.write(),
            body: self.body.clone(),
        }
    }

    /// The same end for every row of it.
    pub fn endings(&self, fate: &Fate) -> Vec<Ending> {
        let ending = |(id, lease): &(i64, String)| Ending { id: *id, lease: lease.clone(), fate: fate.clone() };
        self.rows.iter().map(ending).collect()
    }
}

impl InHand {
    /// Its end.
    pub fn ending(&self, fate: Fate) -> Ending {
        ending(&self.row, fate)
    }

    /// What it is put together with others by: the way and who is told.
    pub fn pile(&self) -> Pile {
        let mut keys: Vec<String> = self.to.iter().map(Recipient::key).collect();
        keys.sort();
        (self.via.as_str(), keys)
    }
}

/// The end of a claimed row.
pub fn ending(row: &Claimed, fate: Fate) -> Ending {
    Ending { id: row.id, lease: row.lease.clone(), fate }
}
