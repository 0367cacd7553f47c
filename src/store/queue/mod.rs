//! The notification queue in the CRM's database (WeCom reference 7): `schema.rs` is its DDL, `trigger.rs` what makes its
//! rows, `columns.rs` the table of the members as it stands, `capture.rs` looks for new members where no trigger may.

mod capture;
mod check;
mod columns;
mod db;
mod plan;
mod refused;
mod rollback;
mod schema;
mod script;
mod standing;
mod trigger;

pub use check::{Checked, Drift};
pub use db::QueueDb;
pub use plan::{Done, Plan, Step, Wish};
pub use rollback::Remnant;
pub use trigger::Definer;
