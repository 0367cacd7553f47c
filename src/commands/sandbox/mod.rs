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

use super::Context;
use crate::error::{Lang, Result};
use crate::report;
use clap::Subcommand;
use serde::Serialize;

/// A local stand-in for the platform's API, and the pushes it sends.
#[derive(Debug, Subcommand)]
#[command(before_help = "Example:\n  wxops sandbox run --followers 23000")]
pub(crate) enum Verb {
    Run(Box<run::Run>),
    Push(push::Push),
    Faults(faults::Faults),
    Clock(clock::Clock),
}

impl Verb {
    /// Runs the verb. Without `--sandbox` the sandbox is the one that the configured account speaks to.
    pub async fn run(self, context: &mut Context) -> Result<()> {
        let lang = context.out.lang;
        match self {
            Verb::Run(verb) => {
                context.take_signals();
                let report = verb.run(lang).await?;
                show(context, &report, report.table(lang), false)
            }
            Verb::Push(mut verb) => {
                let config = context.config()?.clone();
                let account = push::Configured::of(&config, verb.to.as_deref());
                verb.account = config.account;
                verb.sandbox
                    .get_or_insert_with(|| account.as_ref().map_or_else(|| client::of(None), |it| it.sandbox()));
                let asked = verb.dry_run || verb.event == "list";
                let report = verb.run(account.as_ref()).await?;
                show(context, &report, report.table(lang), asked)?;
                match report.failure() {
                    Some(failure) => Err(failure),
                    None => Ok(()),
                }
            }
            Verb::Faults(mut verb) => {
                verb.sandbox = Some(chosen(verb.sandbox, context)?);
                let asked = verb.faults.is_empty() && !verb.clear;
                let report = verb.run().await?;
                show(context, &report, report.table(lang), asked)
            }
            Verb::Clock(mut verb) => {
                verb.sandbox = Some(chosen(verb.sandbox, context)?);
                let asked = verb.step == clock::Step::Show;
                let report = verb.run().await?;
                show(context, &report, report.table(lang), asked)
            }
        }
    }
}

/// The sandbox that was named, else that of the configured account. A wrong configuration leads to no other one.
fn chosen(named: Option<String>, context: &Context) -> Result<String> {
    match named {
        Some(named) => Ok(named),
        None => Ok(client::of(context.config()?.official(None).ok())),
    }
}

/// What was asked for is shown also with `-q`; what was done is not.
fn show(context: &mut Context, report: &impl Serialize, text: String, asked: bool) -> Result<()> {
    let printed = Printed { json: serde_json::to_value(report).unwrap_or_default(), text };
    if asked { context.out.show(&printed) } else { context.out.report(&printed) }
}

struct Printed {
    json: serde_json::Value,
    text: String,
}

impl report::Report for Printed {
    fn json(&self) -> serde_json::Value {
        self.json.clone()
    }

    fn text(&self, _: Lang) -> String {
        self.text.clone()
    }
}
