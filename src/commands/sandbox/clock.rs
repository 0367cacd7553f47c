//! `wxops sandbox clock`: the running sandbox's time.

use super::client::Sandbox;
use super::units;
use crate::error::{Error, Lang, Result};
use crate::sandbox::shown;
use crate::say;
use clap::Args;
use serde::Serialize;

/// Move the running sandbox's clock: tokens expire, quotas come back.
#[derive(Debug, Args)]
#[command(before_help = "Example:\n  wxops sandbox clock +3d")]
pub struct Clock {
    /// How far, forward or back: +3d, +2h, -1h, 30s; or show.
    #[arg(value_name = "STEP", default_value = "show", allow_hyphen_values = true, value_parser = step)]
    pub step: Step,
    /// The running sandbox; default: the one the account is configured for.
    #[arg(long, value_name = "URL")]
    pub sandbox: Option<String>,
}

/// What to do with the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Only look.
    Show,
    /// Move it by so many seconds.
    By(i64),
}

/// The clock afterwards.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The sandbox's time, RFC 3339.
    pub now: String,
    /// Seconds added by hand so far.
    pub advanced_seconds: i64,
}

impl Report {
    /// One line for people.
    pub fn table(&self, lang: Lang) -> String {
        let Report { now, advanced_seconds } = self;
        say!("{now}, moved by {advanced_seconds} s"; "{now}，已拨动 {advanced_seconds} 秒").in_lang(lang).to_owned()
    }
}

impl Clock {
    /// Moves or shows.
    ///
    /// # Errors
    /// Unavailable where no sandbox runs.
    pub async fn run(self) -> Result<Report> {
        let sandbox = Sandbox::at(self.sandbox.as_deref())?;
        let clock: shown::Clock = match self.step {
            Step::Show => sandbox.get("/sandbox/clock").await?,
            Step::By(seconds) => {
                sandbox.post("/sandbox/clock", &serde_json::json!({ "advance_seconds": seconds })).await?
            }
        };
        let now = chrono::DateTime::from_timestamp(clock.now, 0).unwrap_or_default();
        let now = now.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        Ok(Report { now, advanced_seconds: clock.advanced_seconds })
    }
}

fn step(text: &str) -> Result<Step> {
    let no_step = || {
        Error::usage(say!("not a step of a clock"; "不是有效的时间"))
            .next(say!("write +3d, -1h, 30s, or show"; "请写 +3d、-1h、30s 或 show"))
    };
    match text {
        "show" => Ok(Step::Show),
        _ => units::step(text).map(Step::By).ok_or_else(no_step),
    }
}
