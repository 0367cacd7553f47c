//! A notice: one row of the queue, that somebody be told of a member.

mod form;
mod kind;
mod recipient;
mod source;

pub use form::Form;
pub use kind::Kind;
pub use recipient::Recipient;
pub use source::Source;

use serde_json::{Map, Value};

/// Where a row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Due now or later.
    Pending,
    /// Leased by a drain.
    Processing,
    /// Told.
    Sent,
    /// Refused, to be tried again.
    Failed,
    /// Given up.
    Dead,
    /// Taken back by a person.
    Cancelled,
}

impl State {
    /// Every one, in the order in which a row may pass them.
    pub const ALL: [State; 6] =
        [State::Pending, State::Processing, State::Sent, State::Failed, State::Dead, State::Cancelled];

    /// As it stands in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Pending => "pending",
            State::Processing => "processing",
            State::Sent => "sent",
            State::Failed => "failed",
            State::Dead => "dead",
            State::Cancelled => "cancelled",
        }
    }

    /// Reads the table's name.
    pub fn parse(text: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// By which way a message goes out; the names are those of the table's `channel`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Via {
    /// A message of the application to people (WeCom reference 3).
    App,
    /// A message of a group robot to its group (WeCom reference 4).
    Robot,
}

impl Via {
    /// Both.
    pub const ALL: [Via; 2] = [Via::App, Via::Robot];

    /// As it stands in the table and in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Via::App => "app",
            Via::Robot => "robot",
        }
    }

    /// Reads the name.
    pub fn parse(text: &str) -> Option<Via> {
        Via::ALL.into_iter().find(|via| via.as_str() == text)
    }
}

/// One row, as far as a message is made of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// The row's id.
    pub id: i64,
    /// The member's.
    pub member_id: i64,
    /// What happened.
    pub kind: Kind,
    /// The configured columns of the member at that time.
    pub payload: Map<String, Value>,
    /// When the row was made, in milliseconds since 1970.
    pub created_ms: i64,
}
