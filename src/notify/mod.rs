//! What becomes of a row of the notification queue: who is told, by which way, and in which words ([`Book`]); and the pass
//! that claims, sends and settles what is due ([`Notifier`]).

mod book;
mod channel;
mod cut;
mod daemon;
mod digest;
mod escape;
mod hand;
mod judge;
mod mask;
mod message;
mod open;
mod pass;
mod plan;
mod recipients;
mod sample;
mod settle;
mod shown;
mod template;
mod trial;
mod trouble;

#[cfg(test)]
mod tests;

pub use book::{Book, Plan};
pub use daemon::Rhythm;
pub use open::{database, wecom};
pub use pass::{Counts, Notifier, Options, Passed};
pub use sample::sample;
pub use trial::{Trial, Wish, not_told};

/// Where a value stands, and what it must not be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Escape {
    /// In a plain text, or in a card: no tag and no link.
    Plain,
    /// Among marks: no mark either.
    Marks,
    /// In an address: nothing but a part of it.
    Address,
}
