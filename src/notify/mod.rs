//! What becomes of a row of the notification queue: who is told, by which way, and in which words.

mod book;
mod message;

pub use book::{Book, Plan};
