//! wxops operates a WeChat back end. This page is the map of the house.

pub mod app;
pub mod cli;
pub mod commands;
pub mod config;
pub mod domain;
pub mod error;
pub mod events;
pub mod lifecycle;
pub mod metrics;
pub mod platform;
pub mod report;
#[cfg(feature = "sandbox")]
pub mod sandbox;
pub mod serve;
pub mod store;
pub mod tokens;
pub mod wire;
