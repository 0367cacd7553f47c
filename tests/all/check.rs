//! `callback check`: against servers that are right, and against servers that are wrong in one thing each.

mod answers;
pub mod fake;
mod keys;
mod nginx;
mod own;
mod program;
mod scene;
mod tls;
mod usage;
