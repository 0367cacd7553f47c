//! The nouns of the house and their rules.

pub mod account;
pub mod beat;
pub mod beijing;
pub mod client;
pub mod clock;
pub mod event;
pub mod filter;
pub mod geo;
pub mod hex;
pub mod hook;
pub mod layout;
pub mod near;
pub mod network;
pub mod notice;
pub mod redis;
pub mod reply;
pub mod rhythm;
pub mod robot;
pub mod secret;
pub mod silence;
pub mod token;
pub mod veil;
