//! `wxops sandbox …`: the local stand-in for the platform.

mod accounts_file;
mod client;
pub mod clock;
pub mod faults;
pub mod push;
pub mod run;
#[cfg(test)]
mod tests;
mod units;

use clap::Subcommand;

/// A local stand-in for the platform's API, and the pushes it sends.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Run the stand-in platform until it is stopped.
    Run(run::Run),
    /// Send signed events to a callback, as the platform does.
    Push(push::Push),
    /// Make the running sandbox fail on purpose, or stop failing.
    Faults(faults::Faults),
    /// Move the running sandbox's clock.
    Clock(clock::Clock),
}
