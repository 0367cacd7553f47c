//! wxops operates a WeChat back end. This page is the map of the house.

pub mod commands;
pub mod domain;
pub mod error;
#[cfg(feature = "sandbox")]
pub mod sandbox;
