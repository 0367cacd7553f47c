//! `wxops sandbox faults`: what the running sandbox does wrong on purpose.

use super::client::Sandbox;
use crate::error::{Lang, Result};
use crate::sandbox::faults::{Fault, Shown};
use crate::sandbox::shown::FaultOrder;
use crate::say;
use clap::Args;
use serde::Serialize;

/// Make the running sandbox fail on purpose, or stop it; without arguments,
/// show what is on.
#[derive(Debug, Args)]
#[command(before_help = "Example:\n  wxops sandbox faults busy@/cgi-bin/user/info=0.5 slow=1%")]
pub struct Faults {
    /// KIND=RATE, KIND@/path=RATE, KIND@wecom=RATE or KIND@wechat=RATE, a rate
    /// of 0 to 1 or 0% to 100%; 0 turns it off. Kinds: busy, busy-done (-1 for
    /// work that is done), token-invalid, quota, http-500, reset, cut, html,
    /// slow, lost-answer, ip-not-listed, admin-confirm, secret-frozen, or an
    /// errcode.
    #[arg(value_name = "KIND=RATE")]
    pub faults: Vec<String>,
    /// Turn all off first.
    #[arg(long)]
    pub clear: bool,
    /// The running sandbox; default: the one the account is configured for.
    #[arg(long, value_name = "URL")]
    pub sandbox: Option<String>,
}

/// What is on afterwards.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The faults.
    pub faults: Vec<Shown>,
}

impl Report {
    /// A line a fault.
    pub fn table(&self, lang: Lang) -> String {
        if self.faults.is_empty() {
            return say!("no faults"; "没有故障").in_lang(lang).to_owned();
        }
        let line = |Shown { kind, path, rate, struck }: &Shown| {
            let path = path.as_deref().unwrap_or("*");
            format!("{kind:<16} {path:<28} {rate:<6} {struck}")
        };
        self.faults.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

impl Faults {
    /// Sets, clears or shows.
    ///
    /// # Errors
    /// Usage for a fault that is none; unavailable where no sandbox runs.
    pub async fn run(self) -> Result<Report> {
        self.faults.iter().try_for_each(|text| Fault::parse(text).map(|_| ()))?;
        let sandbox = Sandbox::at(self.sandbox.as_deref())?;
        let faults = if self.faults.is_empty() && !self.clear {
            sandbox.get("/sandbox/faults").await?
        } else {
            sandbox.post("/sandbox/faults", &FaultOrder { clear: self.clear, set: self.faults }).await?
        };
        Ok(Report { faults })
    }
}
