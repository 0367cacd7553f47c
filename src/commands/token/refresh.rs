//! `wxops token refresh`: what a timer calls each minute.

use crate::app::App;
use crate::commands::{Context, accesses, time_json, time_local, worse};
use crate::config;
use crate::domain::account::Access;
use crate::domain::token::Token;
use crate::error::{Error, Kind, Lang, Result};
use crate::job::{Frame, Job, Schedule};
use crate::report::Report;
use crate::say;
use crate::tokens::{ASK_EVERY, token_of};
use futures_util::future::join_all;
use serde_json::json;
use std::time::{Duration, Instant};

/// The job's name.
const JOB: &str = "token refresh";
/// A token that could not be renewed with so much of its life left is an alarm, milliseconds.
const ALARM_MS: i64 = 60_000;
/// How long one waits for another process that refreshes the same token: its lock, should it have died, and a little.
const PATIENCE: Duration = Duration::from_secs(40);
/// How often it looks whether that has brought one, and whether the lock is free.
const LOOK: Duration = Duration::from_millis(50);
const TRY_LOCK: u32 = 10;

/// See to it that the stored token does not end
///
/// Asks the platform only where it is near its end: stable_token and gettoken in
/// the last 5 minutes, /cgi-bin/token at five sixths of its life. Many at once
/// make one call.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops token refresh --account all --for 45s")]
pub struct Refresh {
    /// Make a new token; the present one dies at once (20 a day allowed, at
    /// most 10 are used)
    #[arg(long)]
    force: bool,
    /// End the wait that the platform asked for after 89503 and its like, or
    /// after a wrong secret: somebody has mended it
    #[arg(long)]
    now: bool,
    /// Go on for so long: a token in its last minutes is asked for again each
    /// 20 s until another comes
    #[arg(long = "for", value_name = "TIME", value_parser = config::duration)]
    go_on: Option<Duration>,
    /// Say what would be done, ask nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
    #[command(flatten)]
    schedule: Schedule,
}

struct Refreshed {
    account: String,
    generation: i64,
    expires_at: Option<i64>,
    changed: bool,
    dry_run: bool,
}

impl Refresh {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        if self.dry_run {
            let app = App::open(context.config()?.clone()).await?;
            for account in self.accounts(&app)? {
                let stored = app.store.stored_token(&account.name).await?;
                let (name, dry_run) = (account.name.clone(), true);
                let (generation, expires_at) = (stored.generation, stored.expires_at);
                context.out.report(&Refreshed { account: name, generation, expires_at, changed: false, dry_run })?;
            }
            return Ok(());
        }
        let frame = context.frame(&self.schedule, JOB);
        frame.whole(async |frame| self.refresh(context, frame).await).await
    }

    /// With `--account all` those that only receive callbacks have no token; one that was named must.
    fn accounts<'a>(&self, app: &'a App) -> Result<Vec<&'a Access>> {
        let mut accounts = accesses(&app.config)?;
        match accounts.as_slice() {
            [only] if !only.has_token() => drop(app.config.secret_of(only)?),
            _ => accounts.retain(|account| account.has_token()),
        }
        Ok(accounts)
    }

    /// All accounts side by side: one that waits holds up no other.
    async fn refresh(&self, context: &mut Context, frame: &Frame) -> Result<()> {
        let app = App::open(context.config()?.clone()).await?;
        let accounts = self.accounts(&app)?;
        let mut worst: Option<Error> = None;
        for (account, done) in
            accounts.iter().zip(join_all(accounts.iter().map(|account| self.one(&app, frame, account))).await)
        {
            match done {
                Ok(done) => context.out.report(&done)?,
                Err(error) if app.config.account.as_deref() != Some("all") => return Err(error),
                Err(error) => {
                    let next = error.next.as_ref().map(|next| next.en.clone());
                    tracing::error!(account = account.name, %error, next, "not refreshed");
                    worst = Some(worse(worst, error));
                }
            }
        }
        worst.map_or(Ok(()), Err)
    }

    async fn one(&self, app: &App, frame: &Frame, account: &Access) -> Result<Refreshed> {
        if self.now {
            app.tokens.end_hold(account).await?;
        }
        let before = app.store.stored_token(&account.name).await?.generation;
        let end = Instant::now() + self.go_on.unwrap_or_default();
        let mut force = self.force;
        loop {
            let token = self.once(app, frame, account, force).await;
            force = false;
            let goes_on = match &token {
                Ok(token) => app.tokens.is_due(account, token),
                Err(error) => error.kind == Kind::Unavailable && error.errcode != Some(45009),
            };
            if !goes_on || Instant::now() + ASK_EVERY > end {
                let token = token?;
                return Ok(Refreshed {
                    account: account.name.clone(),
                    generation: token.generation,
                    expires_at: Some(token.expires_at).filter(|end| *end != Token::UNKNOWN_EXPIRY),
                    changed: token.generation != before,
                    dry_run: false,
                });
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    }

    /// One look, and where the token is due one call, under the lock of the job; a run of another process that brings
    /// the token is as good as ours.
    async fn once(&self, app: &App, frame: &Frame, account: &Access, force: bool) -> Result<Token> {
        let job = Job { name: JOB, account: &account.name, resume: None };
        let give_up = Instant::now() + PATIENCE;
        let mut looks = 0;
        loop {
            let stored = app.store.stored_token(&account.name).await?;
            match token_of(&stored).filter(|token| !force && !app.tokens.is_due(account, token)) {
                Some(token) => {
                    // What other programs read may have been lost or overwritten all the same.
                    app.tokens.copy(account).await;
                    frame.nothing_due(&account.name, app.now_ms());
                    return Ok(token);
                }
                None if looks % TRY_LOCK != 0 => {}
                None => match frame.run(app, job, async |run| asked(app, run, account, force).await).await {
                    Ok(Some(token)) => return Ok(token),
                    Ok(None) => return token_of(&stored).ok_or_else(|| busy(&account.name)),
                    Err(error) if error.kind == Kind::Busy && Instant::now() < give_up => {}
                    Err(error) => return Err(error),
                },
            }
            looks += 1;
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// Another run was under way, and was asked to be no failure; but there is no token to show.
fn busy(account: &str) -> Error {
    Error::new(Kind::Busy, say!("another run fetches the token of {account}"; "另一个进程正在获取 {account} 的 token"))
}

async fn asked(app: &App, run: &crate::job::Run, account: &Access, force: bool) -> Result<Token> {
    let before = app.store.stored_token(&account.name).await?.generation;
    let token = match app.tokens.refresh(account, force).await {
        Ok(token) => token,
        Err(error) => {
            run.count("failed", 1);
            return Err(error);
        }
    };
    run.count(if token.generation == before { "unchanged" } else { "refreshed" }, 1);
    let left = token.expires_at.saturating_sub(app.now_ms());
    if left >= ALARM_MS {
        return Ok(token);
    }
    let (name, left) = (&account.name, left / 1000);
    Err(Error::unavailable(say!(
        "the token of {name} ends in {left} s, and the platform gives no other yet";
        "{name} 的 token 还有 {left} 秒到期，平台尚未给出新的"
    ))
    .next(say!(
        "run it again in 20 s; wxops doctor --account {name} tells what the platform says";
        "请在 20 秒后重试；wxops doctor --account {name} 可查看平台的答复"
    )))
}

impl Report for Refreshed {
    fn json(&self) -> serde_json::Value {
        json!({
            "account": self.account,
            "generation": self.generation.to_string(),
            "expires_at": self.expires_at.map(time_json),
            "changed": self.changed,
            "dry_run": self.dry_run,
        })
    }

    fn text(&self, lang: Lang) -> String {
        let Refreshed { account, generation, .. } = self;
        let unknown = || say!("an unknown time"; "未知时间").in_lang(lang).to_owned();
        let end = self.expires_at.map_or_else(unknown, time_local);
        let said = match (self.dry_run, self.changed) {
            (true, _) => say!(
                "{account}: would see to it that the token (generation {generation}, until {end}) does not end";
                "{account}：将确保 token（第 {generation} 代，有效至 {end}）不会过期"
            ),
            (_, true) => {
                say!("{account}: a new token, generation {generation}, until {end}"; "{account}：新 token，第 {generation} 代，有效至 {end}")
            }
            _ => {
                say!("{account}: nothing to do, generation {generation} lives until {end}"; "{account}：无需刷新，第 {generation} 代有效至 {end}")
            }
        };
        said.in_lang(lang).to_owned()
    }
}
