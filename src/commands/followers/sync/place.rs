//! Where a sync is: what the next run needs to go on.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Phase {
    /// The list is read.
    List,
    /// Who was not in it is asked about.
    Gone,
    /// It was found that too many would be marked as gone.
    Refused,
}

/// Where a sync is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Place {
    pub phase: Phase,
    /// `user_mapping.seen_run` of this sync.
    pub run: i64,
    /// When it began.
    pub began: DateTime<Utc>,
    /// The next page is the one behind this openid; `None`: the first.
    pub after: Option<String>,
    /// Pages that are done.
    pub pages: u64,
    /// The list is of this account: somebody known was in it, or few are known.
    pub proven: bool,
    /// The least and the most that WeChat counted as following meanwhile.
    pub total: Option<(i64, i64)>,
    /// Who followed before, as far as the table knew.
    pub known: i64,
    /// The last row that was there before.
    pub last_id: i64,
    /// Who could not be asked about, in pages that are done.
    pub failed: u64,
}

impl Place {
    /// Notes what WeChat counts now.
    pub fn counted(&mut self, total: i64) {
        let (least, most) = self.total.unwrap_or((total, total));
        self.total = Some((least.min(total), most.max(total)));
    }

    /// As it is kept.
    pub fn json(&self) -> Value {
        json!(self)
    }

    /// As it was kept; one of another version is none.
    pub fn read(value: &Value) -> Option<Place> {
        serde_json::from_value(value.clone()).ok()
    }
}
