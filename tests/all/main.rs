//! Stories with the real binary: set the scene, one act, look at what a user would see. One file a group.

#![allow(clippy::unwrap_used)]

mod http;
#[path = "../load/mod.rs"]
mod load;
mod messages;
mod platform;
mod process;
mod rows;
mod signer;
mod stage;
mod stories;

mod callback;
mod enrichment;
mod handlers;
mod kill9;
mod modes;
mod own;
mod packaging;
mod pushes;
mod refusals;
mod restart;
mod tokens;
mod verbs;
mod wechatpy;
