//! wxops operates a WeChat back end. This page is the map of the house.

pub mod config;
pub mod domain;
pub mod error;
pub mod platform;
pub mod store;
pub mod wire;
