//! `kill -9` of `serve` at random moments under load, and a count of what was acknowledged and is not there.

use super::events::Events;
use super::ledger::Ledger;
use super::{Acknowledged, End, Options, Progress, Target};
use crate::http;
use crate::signer;
use crate::stage::{PATIENCE, Stage, until};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Ids commit out of order: a row may appear this far below the highest id that was seen.
const ID_SLACK: i64 = 20_000;

/// How it is done.
pub struct Plan {
    pub kills: u32,
    pub connections: usize,
    /// Milliseconds of load before a kill.
    pub pause: Range<u64>,
    /// The drain at the end has failed when nothing moves for this long.
    pub patience: Duration,
    /// Let the leases of a killed process run out before the next starts, instead of waiting for them in the end.
    pub outlive_leases: bool,
    /// Of the sandbox, whose openids are used: only those can be enriched.
    pub followers: usize,
}

/// One kill.
#[derive(Debug, Default, Clone)]
pub struct Row {
    /// Answers of 200 since the last kill.
    pub acknowledged: u64,
    /// Requests written and never answered, because of the kill.
    pub in_flight: u64,
    /// Acknowledged events without a row.
    pub lost: u64,
    /// Events with two rows.
    pub twice: u64,
    /// Events that are not done after the drain, or whose effect is missing.
    pub unprocessed: u64,
    /// From the start of the new process to its being ready.
    pub restart: Duration,
}

/// All kills.
pub struct Table {
    pub rows: Vec<Row>,
    /// From the last push to the last event settled.
    pub drain: Duration,
    /// Events, and rows of them, at the end.
    pub events: usize,
}

impl Table {
    /// The median of the requests in flight.
    pub fn median_in_flight(&self) -> u64 {
        let mut counts: Vec<_> = self.rows.iter().map(|row| row.in_flight).collect();
        counts.sort_unstable();
        counts.get(counts.len() / 2).copied().unwrap_or(0)
    }

    /// Lost, twice and unprocessed, over all.
    pub fn faults(&self) -> [u64; 3] {
        let sum = |field: fn(&Row) -> u64| self.rows.iter().map(field).sum();
        [sum(|row| row.lost), sum(|row| row.twice), sum(|row| row.unprocessed)]
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "| kill | acknowledged since the last | in flight | lost | twice | unprocessed | restart ms |")?;
        writeln!(f, "|---|---|---|---|---|---|---|")?;
        for (number, row) in self.rows.iter().enumerate() {
            let Row { acknowledged, in_flight, lost, twice, unprocessed, restart } = row;
            let restart = restart.as_millis();
            writeln!(
                f,
                "| {} | {acknowledged} | {in_flight} | {lost} | {twice} | {unprocessed} | {restart} |",
                number + 1
            )?;
        }
        let [lost, twice, unprocessed] = self.faults();
        write!(
            f,
            "{} kills, {} answers of 200, {} events, median {} in flight, {lost} lost, {twice} twice, {unprocessed} unprocessed, drained in {:.1} s",
            self.rows.len(),
            self.rows.iter().map(|row| row.acknowledged).sum::<u64>(),
            self.events,
            self.median_in_flight(),
            self.drain.as_secs_f64()
        )
    }
}

/// Plays it to the end.
pub async fn run(stage: &Stage, plan: &Plan) -> Table {
    let people = followers(stage, plan.followers).await;
    let events = Arc::new(Events::new(&stage.keys.original_id, signer::now() - 86_400, people));
    let ledger = Arc::new(Ledger::new(&stage.folder().join("acknowledged.tsv")));
    let progress = Arc::new(Progress::default());
    let (target, listening) = watch::channel(None);
    let load = tokio::spawn(start(stage, plan, events.clone(), ledger.clone(), progress.clone(), listening));

    let mut seen = Seen::default();
    let mut rows: Vec<Row> = Vec::new();
    let mut since_kill = Vec::new();
    loop {
        if plan.outlive_leases {
            stage.outlive_leases().await;
        }
        let start = Instant::now();
        let mut serve = stage.serve().await;
        if let Some(row) = rows.last_mut() {
            row.restart = start.elapsed();
        }
        target.send_replace(Some(serve.address()));
        seen.look(stage, &events).await;
        if let Some(row) = rows.last_mut() {
            row.lost = seen.missing(&since_kill);
            eprintln!("{row:?}");
        }
        if rows.len() == plan.kills as usize {
            progress.stop();
            load.await.expect("the load does not panic");
            since_kill = ledger.close_interval().0;
            // The last interval has no kill; its events are held to the same.
            rows.push(Row { lost: 0, ..Row::default() });
            break finish(stage, &events, &ledger, rows, &since_kill, plan.patience).await;
        }
        let before = progress.broken.load(Relaxed);
        tokio::time::sleep(Duration::from_millis(rand::random_range(plan.pause.clone()))).await;
        // At once nobody begins a new request: those that break were in flight.
        serve.kill_now();
        target.send_replace(None);
        serve.kill().await;
        until("broken requests to end", async || (progress.in_flight.load(Relaxed) == 0).then_some(())).await;
        let (numbers, acknowledged) = ledger.close_interval();
        since_kill = numbers;
        let in_flight = progress.broken.load(Relaxed) - before;
        rows.push(Row { acknowledged, in_flight, ..Row::default() });
    }
}

fn start(
    stage: &Stage,
    plan: &Plan,
    events: Arc<Events>,
    ledger: Arc<Ledger>,
    progress: Arc<Progress>,
    target: Target,
) -> impl Future<Output = super::Report> + use<> {
    let options = Options {
        connections: plan.connections,
        end: End::Told,
        duplicates: 0.1,
        mode: stage.mode,
        keys: stage.keys.clone(),
        path: "/wechat/event".into(),
        insist: true,
    };
    let note: Acknowledged = Arc::new(move |number, event| ledger.note(number, event));
    super::run(options, events, target, progress, note)
}

/// Drains, reads the whole table afresh, and puts each fault into the row of its interval.
async fn finish(
    stage: &Stage,
    events: &Events,
    ledger: &Ledger,
    mut rows: Vec<Row>,
    last: &[u64],
    patience: Duration,
) -> Table {
    let start = Instant::now();
    drain(stage, patience).await;
    let drain = start.elapsed();

    let mut seen = Seen::default();
    seen.look(stage, events).await;
    let undone = undone(stage, events, &seen).await;
    let acknowledged = ledger.all();
    let mut found = vec![Row::default(); rows.len()];
    for (number, interval) in &acknowledged {
        let row = &mut found[*interval as usize];
        row.lost += u64::from(!seen.ids.contains_key(number));
        row.unprocessed += u64::from(undone.contains(number));
    }
    for (number, ids) in &seen.ids {
        let interval = acknowledged.get(number).copied().unwrap_or(rows.len() as u32 - 1);
        found[interval as usize].twice += ids.len() as u64 - 1;
    }
    for (row, found) in rows.iter_mut().zip(found) {
        row.lost = row.lost.max(found.lost);
        row.twice = found.twice;
        row.unprocessed = found.unprocessed;
    }
    fold_tail(&mut rows, seen.missing(last));
    Table { rows, drain, events: seen.ids.len() }
}

/// What came after the last kill is counted with it: no row is shown for no kill.
fn fold_tail(rows: &mut Vec<Row>, lost: u64) {
    let tail = rows.pop().unwrap_or_default();
    if let Some(row) = rows.last_mut() {
        row.lost += lost.max(tail.lost);
        row.twice += tail.twice;
        row.unprocessed += tail.unprocessed;
    }
}

async fn drain(stage: &Stage, patience: Duration) {
    let mut left = i64::MAX;
    let mut moved = Instant::now();
    loop {
        let now = stage.number("SELECT COUNT(*) FROM inbox_event WHERE state = 'new'").await;
        if now == 0 || moved.elapsed() > patience {
            return;
        }
        if now < left {
            (left, moved) = (now, Instant::now());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The events that are not done, or that left no trace where they should have.
async fn undone(stage: &Stage, events: &Events, seen: &Seen) -> BTreeSet<u64> {
    let followed: HashMap<_, _> = stage
        .rows("SELECT openid, is_followed FROM user_mapping")
        .await
        .into_iter()
        .map(|row| (row[0].clone().unwrap_or_default(), row[1].as_deref() == Some("1")))
        .collect();
    let without_effect = |number: &&u64| {
        let row = followed.get(&events.at(**number).openid);
        (events.follows(**number) && row.is_none()) || (events.leaves(**number) && row != Some(&false))
    };
    let mut undone: BTreeSet<_> = seen.ids.keys().filter(without_effect).copied().collect();
    let query = "SELECT id, openid, kind, HEX(dedupe_key) FROM inbox_event WHERE state <> 'done'";
    undone.extend(stage.rows(query).await.iter().filter_map(|row| number_of(events, row)));
    undone
}

/// The rows that were seen, by the number of their event.
#[derive(Default)]
struct Seen {
    ids: BTreeMap<u64, BTreeSet<i64>>,
    highest: i64,
}

impl Seen {
    async fn look(&mut self, stage: &Stage, events: &Events) {
        let above = self.highest - ID_SLACK;
        let query = format!("SELECT id, openid, kind, HEX(dedupe_key) FROM inbox_event WHERE id > {above}");
        for row in stage.rows(&query).await {
            let id = row[0].as_deref().and_then(|id| id.parse().ok()).expect("a number");
            self.highest = self.highest.max(id);
            if let Some(number) = number_of(events, &row) {
                self.ids.entry(number).or_default().insert(id);
            }
        }
    }

    fn missing(&self, numbers: &[u64]) -> u64 {
        numbers.iter().filter(|number| !self.ids.contains_key(number)).count() as u64
    }
}

/// The event behind (id, openid, kind, key in hex): the key begins with CreateTime.
fn number_of(events: &Events, row: &[Option<String>]) -> Option<u64> {
    let [_, Some(openid), Some(kind), Some(key)] = row else { return None };
    let created = i64::from_str_radix(key.get(..8)?, 16).ok()?;
    events.number_of(openid, kind, created)
}

/// Openids that the sandbox knows, as its own API lists them: only these can be enriched.
pub async fn followers(stage: &Stage, wanted: usize) -> Vec<String> {
    let mut openids: Vec<String> = Vec::new();
    if wanted == 0 {
        return openids;
    }
    let body = serde_json::json!({
        "grant_type": "client_credential", "appid": stage.keys.app_id, "secret": stage.keys.secret
    });
    let token = call(stage, "POST", "/cgi-bin/stable_token", body.to_string()).await;
    let token = token["access_token"].as_str().unwrap_or_else(|| panic!("no token: {token}")).to_owned();
    while openids.len() < wanted {
        let next = openids.last().map_or("", String::as_str);
        let target = format!("/cgi-bin/user/get?access_token={token}&next_openid={next}");
        let page = call(stage, "GET", &target, String::new()).await;
        let Some(list) = page["data"]["openid"].as_array().filter(|list| !list.is_empty()) else { break };
        openids.extend(list.iter().filter_map(|openid| openid.as_str().map(str::to_owned)));
    }
    openids
}

async fn call(stage: &Stage, method: &str, target: &str, body: String) -> serde_json::Value {
    let headers = [("Content-Type", "application/json"), ("Connection", "close")];
    let bytes = http::request(method, target, &headers, body.as_bytes());
    let answer = tokio::time::timeout(PATIENCE, http::once(stage.sandbox(), &bytes)).await;
    let answer = answer.expect("the sandbox answers in time").expect("the sandbox answers");
    serde_json::from_slice(&answer.body).unwrap_or_else(|error| panic!("{error}: {}", answer.text()))
}
