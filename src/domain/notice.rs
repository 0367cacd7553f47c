//! The nouns of the queue of notifications about members.

mod kind;
mod source;

pub use kind::Kind;
pub use source::Source;
