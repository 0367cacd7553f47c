//! Bytes to domain and back, pure: no clock, no randomness, no network. What the platform sends is
//! checked here, in the order of the reference (1.3): query, signature, envelope, XML, fields.

pub mod advice;
pub mod cause;
pub mod dedupe;
pub mod envelope;
pub mod json;
pub mod message;
pub mod push;
pub mod query;
pub mod reason;
pub mod reply;
pub mod signature;
pub mod webhook;
pub mod wecom;
pub mod write;
pub mod xml;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod vectors;
