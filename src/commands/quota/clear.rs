//! `wxops quota clear`. One of ten a month: written down before it is asked for, and never repeated by itself.

mod said;

use super::ledger::{A_MONTH, Month};
use crate::app::App;
use crate::commands::{Context, time_local};
use crate::domain::account::{Access, Official};
use crate::domain::token::Token;
use crate::error::{Error, Kind, Result, Text};
use crate::platform::Platform;
use crate::platform::errcode::{self, Class};
use crate::platform::http::{Pending, Refused, Tokens, never_left};
use crate::platform::wechat::quota;
use crate::say;
use crate::store::{Cleared, Way};
use crate::tokens::Keeper;
use said::{Done, Planned};
use std::sync::atomic::{AtomicBool, Ordering};

/// So few clears that are left of the month are worth a warning.
const FEW: usize = 3;

/// Set what every API has used today back to 0; ten times a month
///
/// It counts for all APIs of the account at once, and what was paused for want
/// of quota goes on. The platform allows ten a month of Beijing, its console's
/// included. At a terminal the account's name is asked for. The ledger has each
/// clear (wxops quota show); one whose outcome is not known is exit 4.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops quota clear --dry-run")]
pub struct Clear {
    /// By the AppSecret instead of the token: works when no token can be had
    #[arg(long)]
    by_secret: bool,
    /// Also a second time on the same day
    #[arg(long)]
    force: bool,
    /// Show the call, make none
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

impl Clear {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let app = App::open(context.config()?.clone()).await?;
        let account = app.config.official(None)?;
        if self.by_secret {
            app.config.secret_of(account)?;
        }
        let month = self.allowed(&app, account).await?;
        if self.dry_run {
            return context.out.report(&Planned::new(account, self.way(), month));
        }
        if month.left() <= FEW {
            let (left, name) = (month.left(), account.name.as_str());
            let few = say!(
                "{name}: at most {left} of the month's {A_MONTH} clears are left";
                "{name}：本月的 {A_MONTH} 次清零最多还剩 {left} 次"
            );
            tracing::warn!("{}", few.in_lang(context.out.lang));
        }
        context.confirm_by_name(self.yes, deed(account, &month), &account.name).await?;
        let lock = format!("quota clear:{}", account.name);
        let Some(lease) = app.store.acquire(&lock, app.tokens.who()).await? else { return Err(busy()) };
        let done = self.clear(&app, account).await;
        // A lock that is not given back ends by itself.
        let _ = app.store.release(&lease).await;
        context.out.report(&done?)
    }

    fn way(&self) -> Way {
        if self.by_secret { Way::Secret } else { Way::Token }
    }

    /// Refuses a second clear on the same day.
    async fn allowed(&self, app: &App, account: &Official) -> Result<Month> {
        let month = Month::of(app, &account.name).await?;
        let Some(first) = month.today().filter(|_| !self.force) else { return Ok(month) };
        let (name, at, used) = (&account.name, time_local(first.at.timestamp_millis()), month.used());
        let what = match first.outcome.as_str() {
            "ok" => say!(
                "{name}: its quota was cleared today at {at}; {used} of the month's {A_MONTH} are used";
                "{name}：今日已于 {at} 清零；本月 {A_MONTH} 次已用 {used} 次"
            ),
            _ => say!(
                "{name}: a clear was asked for today at {at}, its outcome is not known; {used} of the month's {A_MONTH} \
                 are used, that one counted";
                "{name}：今日已于 {at} 请求清零，结果未知；本月 {A_MONTH} 次已用 {used} 次（含该次）"
            ),
        };
        Err(Error::failed(what).next(say!(
            "wxops quota show tells what is left today; --force clears again";
            "今日剩余见 wxops quota show；确需再次清零请加 --force"
        )))
    }

    /// Under the lock: look again, write it down, ask, write how it ended.
    async fn clear(&self, app: &App, account: &Official) -> Result<Done> {
        self.allowed(app, account).await?;
        let way = self.way();
        if way == Way::Token {
            app.tokens.current(account).await.map_err(without_token)?;
        }
        let asked = app.store.ask_clear(&account.name, way, app.now_ms(), app.tokens.who()).await?;
        let tokens = Watched { keeper: &app.tokens, failed: AtomicBool::new(false) };
        let answer = match way {
            Way::Token => quota::clear(&app.client, &tokens, account).await,
            Way::Secret => quota::clear_by_secret(&app.client, account).await,
        };
        match answer {
            Ok(rid) => {
                let resumed =
                    app.store.end_clear(&asked, Cleared::Ok, None, rid.as_deref()).await.map_err(unwritten)?;
                Ok(Done {
                    account: account.name.clone(),
                    way,
                    rid,
                    resumed,
                    month: Month::of(app, &account.name).await?,
                })
            }
            Err(error) => {
                let no_token = tokens.failed.into_inner();
                let outcome = outcome(&error, no_token);
                let written = app.store.end_clear(&asked, outcome, error.errcode, error.rid.as_deref()).await;
                if let Err(lost) = written {
                    // It goes on counting as one that may have been.
                    tracing::error!(account = account.name, error = %lost, "the ledger does not know how the clear ended");
                }
                Err(match outcome {
                    Cleared::Unknown => unknown(error),
                    _ if no_token || refuses_tokens(&error, way) => without_token(error),
                    _ => error,
                })
            }
        }
    }
}

/// The keeper, and whether it is what failed: then the clear itself never left, or was refused before it ran.
struct Watched<'a> {
    keeper: &'a Keeper,
    failed: AtomicBool,
}

impl Watched<'_> {
    fn seen<T>(&self, got: Result<T>) -> Result<T> {
        self.failed.fetch_or(got.is_err(), Ordering::Relaxed);
        got
    }
}

impl Tokens for Watched<'_> {
    fn current<'a>(&'a self, account: &'a Access) -> Pending<'a> {
        Box::pin(async move { self.seen(self.keeper.current(account).await) })
    }

    fn refused<'a>(&'a self, account: &'a Access, used: &'a Token, why: Refused) -> Pending<'a> {
        Box::pin(async move { self.seen(self.keeper.refused(account, used, why).await) })
    }

    fn refused_again<'a>(&'a self, account: &'a Access, used: &'a Token, why: Refused) -> Pending<'a, ()> {
        self.keeper.refused_again(account, used, why)
    }
}

/// An answer that is not the platform's own, such as a gateway's, tells nothing of what the platform did.
fn outcome(error: &Error, no_token: bool) -> Cleared {
    match error.errcode {
        _ if no_token => Cleared::Unsent,
        Some(_) => Cleared::Refused,
        None if error.kind == Kind::Config || never_left(error) => Cleared::Unsent,
        None => Cleared::Unknown,
    }
}

fn refuses_tokens(error: &Error, way: Way) -> bool {
    let code = error.errcode.unwrap_or_default();
    way == Way::Token && errcode::class(Platform::WeChat, code) == Class::Token
}

fn deed(account: &Official, month: &Month) -> Text {
    let (name, app_id, number) = (&account.name, &account.app_id, month.used() + 1);
    say!(
        "clear today's quota of every API of account {name} ({app_id}): number {number} of {A_MONTH} this month";
        "清零账号 {name}（{app_id}）所有 API 的今日配额：本月第 {number}/{A_MONTH} 次"
    )
}

fn busy() -> Error {
    Error::new(Kind::Busy, say!("another clear of this account is under way"; "该账号的另一次清零正在进行"))
        .next(say!("wxops quota show tells how it ended"; "其结果见 wxops quota show"))
}

/// Where a token can't be had for want of quota or peace, the AppSecret still opens the door.
fn without_token(error: Error) -> Error {
    // 40001 of whatever gives the token is a wrong secret.
    let wrong_secret = error.errcode == Some(40001) && !error.what.en.starts_with("clear_quota");
    let hopeless =
        error.errcode.is_some_and(|code| errcode::class(Platform::WeChat, code) == Class::Config) || wrong_secret;
    if hopeless || error.kind == Kind::Config {
        return error;
    }
    let (en, zh) =
        error.next.as_ref().map(|next| (format!("{}; or ", next.en), format!("{}；或 ", next.zh))).unwrap_or_default();
    error.next(say!(
        "{en}clear without a token: wxops quota clear --by-secret";
        "{zh}不用 token 清零：wxops quota clear --by-secret"
    ))
}

/// A person decides; nobody knows what the platform did.
fn unknown(error: Error) -> Error {
    let (en, zh) = (&error.what.en, &error.what.zh);
    Error::new(
        Kind::Unknown,
        say!(
            "{en}; it may have taken effect, and counts as one of the month's {A_MONTH}";
            "{zh}；可能已生效，按本月 {A_MONTH} 次之一计"
        ),
    )
    .next(say!(
        "see with wxops quota show whether `used` fell; it is not repeated by itself, and on this day only with --force";
        "请用 wxops quota show 查看已用次数是否下降；不会自动重试，当日再次清零需加 --force"
    ))
    .source(error)
}

/// The platform did it, and the ledger does not know: it goes on counting as one that may have been.
fn unwritten(error: Error) -> Error {
    let (en, zh) = (&error.what.en, &error.what.zh);
    Error::new(
        error.kind,
        say!("the quota is cleared, but the ledger can't be written: {en}"; "配额已清零，但无法写入台账：{zh}"),
    )
    .next(say!("do not clear again: check the database"; "请勿再次清零：请检查数据库"))
    .source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_is_offered_where_it_can_help() {
        let with = |code: i64| {
            let mut error = Error::unavailable(say!("stable_token: errcode {code}"; "stable_token: errcode {code}"));
            error.errcode = Some(code);
            without_token(error).next.is_some_and(|next| next.en.contains("--by-secret"))
        };
        for code in [45009, 45011, -1, 42001] {
            assert!(with(code), "{code}");
        }
        for code in [40001, 40125, 40164, 40243] {
            assert!(!with(code), "{code}");
        }
    }

    #[test]
    fn only_what_may_have_arrived_is_unknown() {
        let plain = || Error::unavailable(say!("answered with HTTP 502"; "HTTP 502"));
        let mut refused = plain();
        refused.errcode = Some(48006);
        assert_eq!(outcome(&plain(), false), Cleared::Unknown);
        assert_eq!(outcome(&plain(), true), Cleared::Unsent);
        assert_eq!(outcome(&refused, false), Cleared::Refused);
        assert_eq!(outcome(&Error::config(say!("no secret"; "缺")), false), Cleared::Unsent);
    }
}
