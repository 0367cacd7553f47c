//! `wxops events repair`: what an outage missed, from the list of followers and user/info (reference 4.1 and 4.2).

mod list;
mod lost;
mod told;

use crate::app::App;
use crate::commands::{Context, Since, accounts, worse};
use crate::domain::account::Official;
use crate::error::{Error, Kind, Result};
use crate::events;
use crate::job::{Frame, Job, Run, Schedule, Stop};
use crate::report::Progress;
use crate::say;
use crate::store::{Asked, AskedRow, Seen};
use list::Walk;
use std::sync::Arc;
use std::time::{Duration, Instant};
use told::Repaired;

/// The job's name.
const JOB: &str = "events repair";
/// Rows looked at together.
const AT_ONCE: usize = 500;
/// Between two looks at rows that another process has in hand.
const LOOK: Duration = Duration::from_millis(250);
/// So long nothing may move before the rest is left to `serve`: a dead process's lease, and a try or two.
const STANDSTILL: Duration = Duration::from_secs(45);

/// Rebuild what an outage missed, from WeChat's lists
///
/// Compares WeChat's list of followers with the table and asks user/info about
/// everyone in whom they differ: who followed unnoticed gets their row, who
/// left unnoticed is treated as one who left. Says what can't be had back.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops events repair --since 2h --dry-run")]
pub struct Repair {
    /// When the outage began: 2h, 3d, 2026-11-01 or RFC 3339
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    since: Since,
    /// Say who differs, ask about nobody, change nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Do not ask
    #[arg(short = 'y', long)]
    yes: bool,
    #[command(flatten)]
    schedule: Schedule,
}

impl Repair {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        if self.dry_run {
            let app = Arc::new(App::open(context.config()?.clone()).await?);
            return self.each(context, &app, None).await;
        }
        let frame = context.frame(&self.schedule, JOB);
        frame.whole(async |frame| self.repair(context, frame).await).await
    }

    async fn repair(&self, context: &mut Context, frame: &Frame) -> Result<()> {
        let app = Arc::new(App::open(context.config()?.clone()).await?);
        if app.erases() {
            let deed = say!("the data of everyone of whom WeChat says that they left is erased for good"; "微信称已取消关注的用户，其数据将被永久清除");
            context.confirm(self.yes, deed).await?;
        }
        self.each(context, &app, Some(frame)).await
    }

    /// One account after the other; the report of each tells how far it came.
    async fn each(&self, context: &mut Context, app: &Arc<App>, frame: Option<&Frame>) -> Result<()> {
        let officials: Vec<Arc<Official>> = accounts(&app.config)?.into_iter().cloned().map(Arc::new).collect();
        let mut worst: Option<Error> = None;
        for account in &officials {
            let mut done = Repaired::new(app, account, self.since.at(app.now_ms()), self.dry_run);
            let mut progress = context.out.progress();
            let ended = match frame {
                None => repair(app, account, &mut done, &mut progress, &Stop::default()).await,
                Some(frame) => {
                    let job = Job { name: JOB, account: &account.name, resume: None };
                    let work = async |run: &mut Run| {
                        let ended = repair(app, account, &mut done, &mut progress, run.stop()).await;
                        done.tell(run);
                        ended
                    };
                    frame.run(app, job, work).await.map(drop)
                }
            };
            drop(progress);
            if done.began() {
                context.out.report(&done)?;
            }
            let Err(error) = ended else { continue };
            if officials.len() > 1 {
                tracing::error!(account = account.name, %error, "not repaired");
            }
            worst = Some(worse(worst, error));
        }
        worst.map_or(Ok(()), Err)
    }
}

async fn repair(
    app: &Arc<App>,
    account: &Arc<Official>,
    done: &mut Repaired,
    progress: &mut Progress,
    stop: &Stop,
) -> Result<()> {
    app.config.secret_of(account)?;
    let mut walk = Walk::new(app, account)?;
    // The list before anything else is said: where WeChat can't be asked, nothing is known.
    walk.listed(done, progress, stop).await?;
    done.lost = lost::lost(&app.store, &account.name, done.since, walk.began()).await?;
    walk.unlisted(done, progress, stop).await?;
    if done.dry_run || stop.asked() {
        return Ok(());
    }
    let fetched = fetch(app, account, walk.seen(), progress, stop).await;
    count(app, walk.seen(), done).await?;
    done.complete = fetched.is_ok() && !stop.asked();
    fetched?;
    let open = done.open;
    if open > 0 && !stop.asked() {
        return Err(Error::new(
            Kind::Partial,
            say!("{open} people could not be asked about yet"; "尚有 {open} 人未能查询"),
        )
        .next(say!(
            "a running serve goes on with them; wxops followers show OPENID tells why";
            "运行中的 serve 会继续查询；原因见 wxops followers show OPENID"
        )));
    }
    Ok(())
}

/// Asks about everyone who is due, beside a `serve` that may do the same.
async fn fetch(
    app: &Arc<App>,
    account: &Arc<Official>,
    seen: &Seen,
    progress: &mut Progress,
    stop: &Stop,
) -> Result<()> {
    let (mut ill, mut asked, mut before, mut moved) = (0, 0_u64, u64::MAX, Instant::now());
    while !stop.asked() {
        let round = events::round(app, account, &mut ill).await?;
        if let Some(error) = round.ailing {
            return Err(error);
        }
        if let Some(reason) = round.paused {
            return Err(paused(&reason));
        }
        if round.settled > 0 {
            asked += round.settled as u64;
            progress.tell(0.75, || say!("{asked} people asked about"; "已查询 {asked} 人"));
            moved = Instant::now();
            continue;
        }
        let start = Instant::now();
        let mut due = 0;
        each_asked(app, seen, |_, row| due += u64::from(row.due)).await?;
        if due < before {
            moved = Instant::now();
        }
        if due == 0 || moved.elapsed() > STANDSTILL {
            return Ok(());
        }
        before = due;
        tokio::time::sleep(LOOK.max(start.elapsed() * 4)).await;
    }
    Ok(())
}

/// How everyone stands who was asked about, whoever did it.
async fn count(app: &Arc<App>, seen: &Seen, done: &mut Repaired) -> Result<()> {
    each_asked(app, seen, |why, row| {
        let open = row.due || row.failed;
        done.open += u64::from(open);
        match why {
            Asked::Listed => done.added += u64::from(row.follows),
            Asked::Unlisted if !row.follows => done.left += 1,
            Asked::Unlisted => done.stayed += u64::from(!open),
        }
    })
    .await
}

async fn each_asked(app: &Arc<App>, seen: &Seen, mut look: impl FnMut(Asked, AskedRow)) -> Result<()> {
    let mut after = 0;
    loop {
        let asked = seen.asked(after, AT_ONCE)?;
        let Some((last, _)) = asked.last() else { return Ok(()) };
        after = *last;
        let ids: Vec<i64> = asked.iter().map(|(id, _)| *id).collect();
        for row in app.store.asked_rows(&ids).await? {
            if let Ok(at) = asked.binary_search_by_key(&row.id, |(id, _)| *id) {
                look(asked[at].1, row);
            }
        }
    }
}

fn paused(reason: &str) -> Error {
    Error::unavailable(say!("user/info is paused: {reason}"; "user/info 已暂停：{reason}")).next(say!(
        "wxops status says until when; then run it again: work done is kept";
        "暂停到何时见 wxops status；之后请重新运行：已完成的工作已保留"
    ))
}
