//! `wxops quota forecast`.

use super::of_the_path;
use crate::app::App;
use crate::commands::budget::{self, JOBS, Line, Need};
use crate::commands::{Context, accounts, time_json, worse};
use crate::domain::account::Official;
use crate::domain::beijing;
use crate::error::{Error, Lang, Result, Text};
use crate::platform::wechat::quota;
use crate::report::Report;
use crate::say;
use crate::store::{JobOutcome, RunFilter};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Runs among which a whole one is looked for.
const LOOK_BACK: i64 = 10;

/// Tell whether today's quota suffices for the scheduled jobs
///
/// For one run of each: the calls that it needs for as many people as the last
/// followers sync saw, or user_mapping has as following where that is more; and
/// what is left. Exit 1 where a job would end in 45009, with the hour at which it
/// can go on.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops quota forecast")]
pub struct Forecast {}

struct Told {
    account: String,
    people: u64,
    /// Whether the last sync told of them, else the table.
    synced: bool,
    jobs: Vec<(&'static str, Vec<Line>)>,
    /// Why an API can't be asked about: whether it suffices is seen when it is called.
    unknown: BTreeMap<&'static str, Text>,
    now_ms: i64,
}

impl Forecast {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let app = App::open(context.config()?.clone()).await?;
        let mut worst: Option<Error> = None;
        for account in accounts(&app.config)? {
            let ended = match told(&app, account).await {
                Ok(told) => {
                    context.out.show(&told)?;
                    told.verdict()
                }
                Err(error) => Err(error),
            };
            let Err(error) = ended else { continue };
            if app.config.account.as_deref() == Some("all") {
                tracing::error!(account = account.name, %error, "the forecast is bad");
            }
            worst = Some(worse(worst, error));
        }
        worst.map_or(Ok(()), Err)
    }
}

/// Each API is asked about once, whichever jobs need it.
async fn told(app: &App, account: &Official) -> Result<Told> {
    let known = u64::try_from(app.store.following(&account.name).await?).unwrap_or_default();
    let seen = last_seen(app, &account.name).await?.unwrap_or_default();
    let (people, synced) = (known.max(seen), seen > known);
    let needs: Vec<(&str, Vec<Need>)> = JOBS.iter().map(|(job, needs)| (*job, needs(people))).collect();
    let (mut left, mut unknown) = (BTreeMap::new(), BTreeMap::new());
    for (api, _) in needs.iter().flat_map(|(_, needs)| needs) {
        if !left.contains_key(api) && !unknown.contains_key(api) {
            match quota::get(&app.client, &*app.tokens, account, api).await {
                Err(error) if of_the_path(&error) => _ = unknown.insert(*api, error.what),
                told => _ = left.insert(*api, told?.remain),
            }
        }
    }
    let line = |(api, needed): Need| Line { api, needed, left: left.get(api).copied().flatten() };
    let jobs = needs.into_iter().map(|(job, needs)| (job, needs.into_iter().map(line).collect())).collect();
    Ok(Told { account: account.name.clone(), people, synced, jobs, unknown, now_ms: app.now_ms() })
}

/// Whom the last whole `followers sync` saw: it may know of more people than the table, of whom some are erased.
async fn last_seen(app: &App, account: &str) -> Result<Option<u64>> {
    let filter =
        RunFilter { job: Some("followers sync".to_owned()), account: Some(account.to_owned()), ..RunFilter::default() };
    let runs = app.store.runs(&filter, LOOK_BACK).await?;
    let whole = runs.iter().find(|run| run.outcome == JobOutcome::Ok);
    Ok(whole.and_then(|run| serde_json::from_str::<Value>(&run.counts).ok()?.get("seen")?.as_u64()))
}

impl Told {
    fn verdict(&self) -> Result<()> {
        let short = |(_, lines): &&(&str, Vec<Line>)| budget::judge(lines, self.now_ms).is_err();
        let (account, hour) = (&self.account, beijing::shown(beijing::next_day(self.now_ms)));
        let jobs: Vec<_> = self.jobs.iter().filter(short).map(|(job, _)| *job).collect();
        if jobs.is_empty() {
            return Ok(());
        }
        let jobs = jobs.join(", ");
        Err(Error::failed(say!(
            "{account}: today's quota does not suffice for {jobs}";
            "{account}：今日配额不足以运行 {jobs}"
        ))
        .next(say!(
            "it comes back at {hour}; see wxops quota clear for a way before that";
            "配额于 {hour} 恢复；在此之前可参见 wxops quota clear"
        )))
    }
}

impl Report for Told {
    fn json(&self) -> Value {
        let line = |line: &Line| {
            let error = self.unknown.get(line.api).map(|why| why.en.as_str());
            json!({ "api": line.api, "needed": line.needed, "left": line.left, "fits": line.fits(), "error": error })
        };
        let job = |(job, lines): &(&str, Vec<Line>)| {
            let calls: Vec<_> = lines.iter().map(line).collect();
            json!({ "job": job, "fits": lines.iter().all(Line::fits), "calls": calls })
        };
        let jobs: Vec<_> = self.jobs.iter().map(job).collect();
        json!({
            "account": self.account,
            "people": self.people,
            "people_from": if self.synced { "job_run" } else { "user_mapping" },
            "jobs": jobs,
            "reopens_at": time_json(beijing::next_day(self.now_ms)),
        })
    }

    fn text(&self, lang: Lang) -> String {
        let Told { account, people, .. } = self;
        let head = match self.synced {
            true => say!(
                "{account}: for {people} people, as the last followers sync saw them";
                "{account}：按上次 followers sync 所见的 {people} 人"
            ),
            false => say!(
                "{account}: for {people} people who follow, as user_mapping has it";
                "{account}：按 user_mapping 记录的 {people} 名关注者"
            ),
        };
        let mut lines = vec![head.in_lang(lang).to_owned()];
        let hour = beijing::shown(beijing::next_day(self.now_ms));
        for (job, needs) in &self.jobs {
            for line in needs {
                let Line { api, needed, left } = line;
                let said = match (left, self.unknown.get(api)) {
                    (None, Some(Text { en, zh })) => say!(
                        "{job}: {api} {needed} calls, what is left can't be asked: {en}";
                        "{job}：{api} 需 {needed} 次，无法查询剩余次数：{zh}"
                    ),
                    (None, None) => {
                        say!("{job}: {api} {needed} calls, no limit"; "{job}：{api} 需 {needed} 次，无上限")
                    }
                    (Some(left), _) if line.fits() => say!(
                        "{job}: {api} {needed} calls of {left} left";
                        "{job}：{api} 需 {needed} 次，剩余 {left} 次"
                    ),
                    (Some(left), _) => say!(
                        "{job}: {api} {needed} calls, would end in 45009 after {left}; can go on at {hour}";
                        "{job}：{api} 需 {needed} 次，{left} 次后将以 45009 结束；{hour} 起可继续"
                    ),
                };
                lines.push(said.in_lang(lang).to_owned());
            }
        }
        lines.join("\n")
    }
}
