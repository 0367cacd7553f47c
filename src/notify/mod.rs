//! What becomes of a row of the notification queue: who is told, by which way, and in which words.

mod book;
mod cut;
mod digest;
mod escape;
mod mask;
mod message;
mod shown;
mod template;

#[cfg(test)]
mod tests;

pub use book::{Book, Plan};

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
