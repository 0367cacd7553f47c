//! The nouns of the queue of notifications about members.

mod kind;

pub use kind::Kind;
