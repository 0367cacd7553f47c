//! The door for people: `wxops tags apply` is `tags/apply.rs`; a group's `mod.rs` lists its verbs.

#[cfg(feature = "sandbox")]
pub mod sandbox;
