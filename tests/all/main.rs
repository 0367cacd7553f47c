//! Stories with the real binary: set the scene, one act, look at what a user would see. One file a group.

#![allow(clippy::unwrap_used)]

mod faults;
mod filters;
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
mod check;
mod configuration;
mod durability;
mod enrichment;
mod explain;
mod export;
mod first_sight;
mod handlers;
mod kill9;
mod lifecycle;
mod modes;
mod newcomer;
mod own;
mod packaging;
mod pushes;
mod readme;
mod refusals;
mod restart;
mod secrets;
mod sharing;
mod slow_disk;
mod tokens;
mod verbs;
mod wechatpy;
