//! A monitor or a person with curl starts a pass over the notification queue (seed 002's `/api/wecom/process-queue`); and
//! where `[queue] in_serve` says so, the queue is drained here, a pass whenever a row is due.

use super::Served;
use super::accounts::{Accounts, Table};
use super::caller::Caller;
use super::problem::{Problem, not_allowed, unread};
use super::request::Id;
use crate::app::App;
use crate::error::{Error, Kind, Result};
use crate::lifecycle;
use crate::notify::{Notifier, Options, Passed, Rhythm, database};
use crate::say;
use crate::store::queue::QueueDb;
use axum::Router;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, watch};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

/// Rows claimed at once, and messages under way at once, of a server that has other work.
const BATCH: u32 = 10;
const CONCURRENCY: usize = 8;
/// A pass that somebody waits for claims no more rows after this time.
const PATIENCE: Duration = Duration::from_secs(50);
/// Between two looks for due rows, and whether the configuration is another one.
const POLL: Duration = Duration::from_millis(300);
const LOOK: Duration = Duration::from_secs(1);

/// Who answers, and drains.
pub(super) struct Desk {
    app: Arc<App>,
    accounts: Arc<Accounts>,
    /// What is open belongs to a configuration. Who asks for a pass waits for the one that was asked for before.
    open: Mutex<Option<(Arc<Table>, Arc<Notifier>)>>,
}

impl Desk {
    pub fn new(served: &Served) -> Desk {
        let (app, accounts) = (served.app.clone(), served.accounts.clone());
        Desk { app, accounts, open: Mutex::default() }
    }
}

/// `GET` and `POST /api/wecom/process-queue`.
pub(super) fn routes(desk: Arc<Desk>) -> Router {
    let method = async |headers: HeaderMap| not_allowed("GET, POST", &headers);
    let process = get(process).post(process).head(method).fallback(method);
    Router::new().route("/api/wecom/process-queue", process).with_state(desk)
}

async fn process(State(desk): State<Arc<Desk>>, parts: Parts) -> Response {
    let (table, id) = (desk.accounts.now(), Id::of(&parts.headers));
    let client = match admit(&table, &parts) {
        Ok(client) => client.to_owned(),
        Err(no) => return unread(no.told(&id)),
    };
    let request_id = id.as_str();
    // A caller that goes away does not end a pass.
    let (own, under) = (desk.clone(), table.clone());
    let pass = tokio::spawn(async move { own.pass(&under).await }.instrument(id.span()));
    let passed = pass.await.unwrap_or_else(|_| Err(Error::failed(say!("the pass broke off"; "处理中断"))));
    let mut answer = match passed {
        Ok(passed) => {
            let (sent, dead) = (passed.counts.sent, passed.counts.dead);
            tracing::info!(request_id, client, sent, dead, "a pass over the queue");
            shown(&passed)
        }
        Err(error) => {
            tracing::warn!(request_id, client, %error, "no pass over the queue");
            Problem::of(&error).told(&id)
        }
    };
    id.on(&mut answer);
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// Who calls, where they may.
fn admit<'t>(table: &'t Table, parts: &Parts) -> Result<&'t str, Problem> {
    let caller = Caller::admitted(table, parts).map_err(|(status, what)| Problem::new(status, what))?;
    match caller.may_process_queue() {
        true => Ok(caller.name()),
        false => Err(Problem::new(StatusCode::FORBIDDEN, "this client has no scope queue:process")),
    }
}

/// The counts of a pass; what ended it early stands beside them.
fn shown(passed: &Passed) -> Response {
    let mut body = serde_json::to_value(&passed.counts).unwrap_or_default();
    body["next_in_ms"] = passed.next_in_ms.into();
    body["error"] = passed.error.as_ref().map_or(
        Value::Null,
        |error| json!({ "detail": crate::report::veiled(&error.what.en), "errcode": error.errcode }),
    );
    let status = match passed.error.as_ref().map(|error| error.kind) {
        None => StatusCode::OK,
        Some(Kind::Refused | Kind::Config) => StatusCode::BAD_GATEWAY,
        Some(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, axum::Json(body)).into_response()
}

impl Desk {
    /// A pass now, or after the one that is under way.
    async fn pass(&self, table: &Arc<Table>) -> Result<Passed> {
        let mut open = self.open.lock().await;
        let notifier = self.notifier(&mut open, table).await?;
        let options = options(table, Some(Instant::now() + PATIENCE));
        Ok(notifier.pass(&options, CancellationToken::new()).await)
    }

    /// What is open, opened anew under another configuration.
    async fn notifier(
        &self,
        open: &mut Option<(Arc<Table>, Arc<Notifier>)>,
        table: &Arc<Table>,
    ) -> Result<Arc<Notifier>> {
        if let Some((_, notifier)) = open.as_ref().filter(|(of, _)| Arc::ptr_eq(of, table)) {
            return Ok(notifier.clone());
        }
        let notifier = Notifier::open(self.app.clone(), &table.config).await?;
        *open = Some((table.clone(), notifier.clone()));
        Ok(notifier)
    }

    /// Drains the queue as long as the configuration says so.
    pub async fn work(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let mut said = String::new();
        while !*stop.borrow() {
            let table = self.accounts.now();
            let ended = if table.config.queue.in_serve { self.drain(&table, &mut stop).await } else { Ok(()) };
            match ended {
                Ok(()) => said.clear(),
                Err(error) => {
                    let why = error.to_string();
                    if why != said {
                        tracing::error!(%error, "the notification queue is not drained");
                    }
                    said = why;
                }
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = lifecycle::until(&mut stop) => return,
            }
        }
    }

    /// Until the end, or another configuration.
    async fn drain(&self, table: &Arc<Table>, stop: &mut watch::Receiver<bool>) -> Result<()> {
        let notifier = {
            let mut open = self.open.lock().await;
            self.notifier(&mut open, table).await?
        };
        let rhythm = Rhythm { full: table.config.queue.monitor_interval, poll: POLL };
        let (options, end) = (options(table, None), CancellationToken::new());
        let going = notifier.keep_going(&options, &rhythm, end.clone());
        tokio::pin!(going);
        tokio::select! {
            () = &mut going => return Ok(()),
            () = lifecycle::until(stop) => {}
            () = self.another(table) => {}
        }
        end.cancel();
        going.await;
        Ok(())
    }

    async fn another(&self, table: &Arc<Table>) {
        while Arc::ptr_eq(&self.accounts.now(), table) {
            tokio::time::sleep(LOOK).await;
        }
    }
}

fn options(table: &Table, until: Option<Instant>) -> Options {
    Options { batch: BATCH, concurrency: CONCURRENCY, max: None, until, digest: table.config.queue.digest }
}

/// Counts what is in the queue, for /metrics; nothing where there is none.
pub(super) async fn count(app: &App, db: &mut Option<QueueDb>) {
    if app.config.wecoms.is_empty() {
        return;
    }
    if db.is_none() {
        *db = database(app, &app.config).await.ok();
    }
    let Some(queue) = db else { return };
    let Ok((pending, processing, dead, oldest_ms)) = queue.queue_gauges().await else { return };
    for (state, count) in [("pending", pending), ("processing", processing), ("dead", dead)] {
        app.metrics.queue.with_label_values(&[state]).set(count);
    }
    let oldest = oldest_ms.map_or(0.0, |age| (app.now_ms() - age) as f64 / 1000.0);
    app.metrics.queue_oldest.set(oldest);
}
