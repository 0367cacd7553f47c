//! What speaks of the program itself and needs no configuration: `help`, `completions`, `man`.

use super::{completions, exit_codes, man};
use crate::error::Result;
use crate::report::Out;

/// The topic of `help` that is no verb.
const EXIT_CODES: &str = "exit-codes";

#[derive(Debug, clap::Subcommand)]
pub(super) enum Own {
    Help(Help),
    Completions(completions::Completions),
    Man(man::Man),
}

/// Show the help of a verb, or what the exit codes mean
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops help exit-codes")]
pub(super) struct Help {
    /// exit-codes, or a group and its verb
    #[arg(value_name = "TOPIC")]
    pub topic: Vec<String>,
}

impl Help {
    /// Whether it is the help of a group or verb, which clap renders.
    pub fn is_of_a_command(&self) -> bool {
        self.topic != [EXIT_CODES]
    }
}

impl Own {
    /// Prints it.
    pub fn run(self, out: &mut Out) -> Result<()> {
        match self {
            Own::Help(_) => exit_codes::show(out),
            Own::Completions(verb) => verb.run(out),
            Own::Man(verb) => verb.run(out),
        }
    }
}
