//! `wxops followers sync`: WeChat's whole list of followers against `user_mapping` (reference 4.1 to 4.3).

mod ask;
mod begin;
mod dry;
mod gone;
mod limit;
mod list;
mod place;
mod told;
mod verify;
mod write;

use crate::app::App;
use crate::commands::{Context, accounts, worse};
use crate::domain::account::Official;
use crate::error::{Error, Kind, Result};
use crate::job::{Frame, Job, Run, Schedule, Stop};
use crate::report::Progress;
use crate::say;
use crate::store::Syncing;
use ask::Asker;
use list::List;
use place::{Phase, Place};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use told::Told;
use write::Writing;

/// The job's name.
const JOB: &str = "followers sync";
/// A run that ended before its end is gone on with as long as it is this young.
const RESUMED: Duration = Duration::from_secs(86_400);
/// With so few known followers any list may be the account's.
const FEW: i64 = 100;

/// Bring user_mapping in line with WeChat's list of followers
///
/// Reads the whole list, asks about everyone in it, 100 at a time and many at
/// once, and writes what is new. Who is not in the list and does not follow when
/// asked is marked as gone. What an event changes meanwhile is left alone. Ended
/// in the middle, the next run goes on.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops followers sync --account all")]
pub struct Sync {
    /// Calls in flight at the most; fewer while WeChat is busy
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=64))]
    concurrency: u32,
    /// Ask only about people without a row or without profile
    #[arg(long)]
    only_missing: bool,
    /// Mark nobody as gone where it would be more of the known followers
    #[arg(long, value_name = "PERCENT", default_value = "10%", value_parser = percent)]
    max_loss: f64,
    /// Mark them however many they are
    #[arg(long)]
    accept_loss: bool,
    /// Change nothing: compare counts and a sample with WeChat, exit 1 where they differ
    #[arg(long, conflicts_with_all = ["only_missing", "accept_loss", "spread"])]
    verify: bool,
    /// Ask WeChat, say what would change, change nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Begin also where the day's quota does not suffice: stop when it is spent, go on the next day
    #[arg(long)]
    spread: bool,
    #[command(flatten)]
    schedule: Schedule,
}

/// `10%` as 0.1.
fn percent(text: &str) -> std::result::Result<f64, String> {
    let number = text.strip_suffix('%').unwrap_or(text).trim();
    match number.parse::<f64>() {
        Ok(number) if (0.0..=100.0).contains(&number) => Ok(number / 100.0),
        _ => Err("a part of 100, such as 10%".to_owned()),
    }
}

impl Sync {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        if self.dry_run || self.verify {
            return self.look(context).await;
        }
        let frame = context.frame(&self.schedule, JOB);
        frame.whole(async |frame| self.each(context, frame).await).await
    }

    /// One account after the other; the report of each tells how far it came.
    async fn each(&self, context: &mut Context, frame: &Frame) -> Result<()> {
        let app = Arc::new(App::open(context.config()?.clone()).await?);
        let officials: Vec<Arc<Official>> = accounts(&app.config)?.into_iter().cloned().map(Arc::new).collect();
        let mut worst: Option<Error> = None;
        for account in &officials {
            let mut told = Told::new(account);
            let mut progress = context.out.progress();
            let job = Job { name: JOB, account: &account.name, resume: Some(RESUMED) };
            let work = async |run: &mut Run| {
                let ended = self.sync(&app, account, run, &mut told, &mut progress).await;
                told.counted(run);
                ended
            };
            let ended = frame.run(&app, job, work).await.map(drop);
            drop(progress);
            if told.began() {
                context.out.report(&told)?;
            }
            let Err(error) = ended else { continue };
            if officials.len() > 1 {
                tracing::error!(account = account.name, %error, "not synced");
            }
            worst = Some(worse(worst, error));
        }
        worst.map_or(Ok(()), Err)
    }

    /// What changes nothing: no lock, no run.
    async fn look(&self, context: &mut Context) -> Result<()> {
        let app = Arc::new(App::open(context.config()?.clone()).await?);
        let officials: Vec<Arc<Official>> = accounts(&app.config)?.into_iter().cloned().map(Arc::new).collect();
        let mut worst: Option<Error> = None;
        for account in &officials {
            app.config.secret_of(account)?;
            let asker = Asker::new(&app, account, self.concurrency);
            let place = Self::beginning(&asker, i64::MAX).await?;
            let ended = if self.verify {
                match verify::verify(&asker, &place).await {
                    Ok(verified) => context.out.report(&verified).and_then(|()| verified.judged()),
                    Err(error) => Err(error),
                }
            } else {
                let mut told = Told::new(account);
                told.dry_run = true;
                let mut progress = context.out.progress();
                let ended = dry::dry(self, &asker, place, &mut told, &mut progress, &Stop::default()).await;
                drop(progress);
                told.calls = asker.calls();
                if told.began() {
                    context.out.report(&told)?;
                }
                ended
            };
            let Err(error) = ended else { continue };
            worst = Some(worse(worst, error));
        }
        worst.map_or(Ok(()), Err)
    }

    async fn sync(
        &self,
        app: &Arc<App>,
        account: &Arc<Official>,
        run: &Run,
        told: &mut Told,
        progress: &mut Progress,
    ) -> Result<()> {
        app.config.secret_of(account)?;
        let asker = Asker::new(app, account, self.concurrency);
        let done = self.phases(&asker, run, told, progress).await;
        told.calls = asker.calls();
        done
    }

    async fn phases(&self, asker: &Asker, run: &Run, told: &mut Told, progress: &mut Progress) -> Result<()> {
        let mut place = self.place(asker, run, told).await?;
        told.begun = true;
        let syncing = Syncing { account: asker.account.name.clone(), run: place.run, began: place.began };
        if place.phase == Phase::List {
            let strangers = place.known == 0;
            let first = begin::first_page(self, asker, &syncing, &mut place, run.counted("seen")).await?;
            run.save(&place.json()).await?;
            let writer = asker.app.store.sync_writer(syncing.clone(), strangers)?;
            let counts = Arc::new(Mutex::new(write::told(run)));
            let writing = Writing::new(&asker.app, run, writer, place.clone(), &counts);
            let mut list = List::new(asker, &syncing, place, self.concurrency as usize);
            (list.only_missing, list.resumed) = (self.only_missing, told.resumed);
            place = list.walk(first, run, writing, progress).await?;
            if run.stop().asked() {
                return Ok(());
            }
            told.counted(run);
            told.listed(&place);
        }
        let found = gone::gone(self, asker, &syncing, &mut place, run, progress).await?;
        told.overlooked = found.overlooked;
        all_asked(place.failed)
    }

    /// Whether so many of the known followers are too many to be gone.
    fn loses_too_many(&self, gone: u64, known: u64) -> bool {
        gone as f64 > known as f64 * self.max_loss && !self.accept_loss
    }

    /// Where the last run ended, or the beginning.
    async fn place(&self, asker: &Asker, run: &Run, told: &mut Told) -> Result<Place> {
        let before = run.checkpoint().and_then(Place::read);
        let goes_on = |place: &Place| place.phase != Phase::Refused || self.accept_loss;
        if let Some(place) = before.filter(goes_on) {
            told.resumed = true;
            return Ok(place);
        }
        // Nothing of the run before counts.
        for name in ["seen", "new", "updated", "unchanged", "returned", "kept", "failed", "gone"] {
            run.set_count(name, 0);
        }
        Self::beginning(asker, run.id()).await
    }

    async fn beginning(asker: &Asker, run: i64) -> Result<Place> {
        let began = asker.app.config.clock.now();
        let (rows, known) = asker.app.store.sync_known(&asker.account.name).await?;
        let last_id = if rows == 0 { 0 } else { asker.app.store.sync_last_id().await? };
        Ok(Place {
            phase: Phase::List,
            run,
            began,
            after: None,
            pages: 0,
            proven: known <= FEW,
            total: None,
            known,
            last_id,
            failed: 0,
        })
    }
}

/// Exit 3 where some could not be asked about.
fn all_asked(failed: u64) -> Result<()> {
    if failed == 0 {
        return Ok(());
    }
    Err(Error::new(
        Kind::Partial,
        say!("{failed} people of the list could not be asked about"; "列表中有 {failed} 人未能查询"),
    )
    .next(say!(
        "WeChat refuses their openids: are they of another account? The log names them, shortened";
        "微信拒绝其 openid：是否属于其他账号？日志中有其缩写"
    )))
}
