//! The door for people: one module a group, one file a verb.

mod accounts;
mod answers;
pub mod budget;
mod bytes;
pub mod callback;
pub mod db;
pub mod doctor;
pub mod events;
pub mod explain;
pub mod followers;
pub mod init;
pub mod jobs;
pub mod locations;
mod pace;
pub mod queue;
pub mod quota;
#[cfg(feature = "sandbox")]
pub mod sandbox;
pub mod sends;
pub mod status;
mod time;
pub mod token;

pub use accounts::{accesses, accounts, worse};
pub use bytes::bytes;
pub use time::{Since, account_filter, time_json, time_local};

use crate::config::{Config, Sources};
use crate::error::{Error, Result, Text};
use crate::job::{Caller, EVERYWHERE, Frame, Schedule};
use crate::report::{Endless, Out, spoken};
use crate::say;
use std::cell::OnceCell;
use std::io::{IsTerminal, Write};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// What every verb is called with.
pub struct Context {
    /// Where the configuration comes from; a reload loads it again from here.
    pub sources: Sources,
    /// Where results go.
    pub out: Out,
    /// `--no-input`: never ask.
    pub no_input: bool,
    /// `--timeout`, for a verb that shares it out; at its end the command is ended either way.
    pub timeout: Option<Duration>,
    start: Instant,
    config: OnceCell<Config>,
    endless: Arc<OnceLock<Endless>>,
}

impl Context {
    /// A context whose configuration is loaded when it is first asked for.
    pub fn new(sources: Sources, out: Out, no_input: bool) -> Self {
        Context {
            sources,
            out,
            no_input,
            timeout: None,
            start: Instant::now(),
            config: OnceCell::new(),
            endless: Arc::default(),
        }
    }

    /// The configuration; exit 78 where it is wrong. Verbs that need none don't ask.
    pub fn config(&self) -> Result<&Config> {
        match self.config.get() {
            Some(config) => Ok(config),
            None => {
                let config = Config::load(&self.sources)?;
                Ok(self.config.get_or_init(|| config))
            }
        }
    }

    /// Called by a verb that stops gracefully by itself (`serve`): from now on SIGINT and SIGTERM are its own.
    pub fn take_signals(&self) {
        // The first word on it stands.
        let _ = self.endless.set(Endless::Serves);
    }

    /// Called by a verb that shows what comes until a person has seen enough (`events tail`): Ctrl-C is its usual
    /// end, and nothing is said about it.
    pub fn follow(&self) {
        let _ = self.endless.set(Endless::Follows);
    }

    /// What the verb said of its end, for those who watch it.
    pub fn endless(&self) -> Arc<OnceLock<Endless>> {
        self.endless.clone()
    }

    /// The frame of a verb that a timer runs.
    pub fn frame(&self, schedule: &Schedule, job: &'static str) -> Frame {
        let (notes, start, timeout) = (self.out.notes(), self.start, self.timeout);
        // A wrong configuration is told by the verb; that it is wrong is told to whoever watches the job too.
        let known = self.config().ok().and_then(|config| accounts(config).ok());
        let accounts = match known {
            Some(known) => known.into_iter().map(|account| account.name.clone()).collect(),
            None => vec![EVERYWHERE.to_owned()],
        };
        schedule.frame(Caller { job, accounts, notes, start, timeout, endless: self.endless() })
    }

    /// Passes when `--yes` was given or a person at the terminal says so; else exit 2, which names the flag.
    pub async fn confirm(&self, yes: bool, deed: Text) -> Result<()> {
        let (en, zh) = (&deed.en, &deed.zh);
        let question = say!("{en}. Go on? [y/N] "; "{zh}。继续吗？[y/N] ");
        self.ask(yes, &deed, question, |answer| matches!(answer, "y" | "Y" | "yes")).await
    }

    /// The same for what costs something that can't be had back: a person at the terminal types the account's name.
    pub async fn confirm_by_name(&self, yes: bool, deed: Text, name: &str) -> Result<()> {
        let (en, zh) = (&deed.en, &deed.zh);
        let question = say!("{en}. Type {name} to go on: "; "{zh}。请输入 {name} 以继续：");
        self.ask(yes, &deed, question, |answer| answer == name).await
    }

    async fn ask(&self, yes: bool, deed: &Text, question: Text, agrees: impl Fn(&str) -> bool) -> Result<()> {
        if yes {
            return Ok(());
        }
        let (en, zh) = (&deed.en, &deed.zh);
        let refusal = || {
            Error::usage(say!("not confirmed: {en}"; "未确认：{zh}"))
                .next(say!("add --yes to do it"; "确认执行请加 --yes"))
        };
        if self.no_input || !std::io::stdin().is_terminal() {
            return Err(refusal());
        }
        spoken();
        let question = question.in_lang(self.out.lang).to_owned();
        let answer = tokio::task::spawn_blocking(move || {
            let mut answer = String::new();
            std::io::stderr().write_all(question.as_bytes())?;
            std::io::stdin().read_line(&mut answer).map(|_| answer)
        });
        match answer.await {
            Ok(Ok(answer)) if agrees(answer.trim()) => Ok(()),
            _ => Err(refusal()),
        }
    }
}
