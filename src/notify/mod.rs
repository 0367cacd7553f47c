//! What becomes of a row of the notification queue: who is told, by which way, and in which words ([`Book`]); and the pass
//! that claims, sends and settles what is due ([`Notifier`]).

mod book;
mod channel;
mod hand;
mod judge;
mod daemon;
mod message;
mod open;
mod pass;
mod plan;
mod recipients;
mod settle;
mod trouble;

pub use book::{Book, Plan};
pub use daemon::Rhythm;
pub use open::{database, wecom};
pub use pass::{Counts, Notifier, Options, Passed};
