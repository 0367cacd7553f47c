//! Telling a hook, one loop each: a receiver that is slow, ill or dead holds up nobody but itself. What is due is in
//! `hook_delivery`; a try is written down before it is made, and how it ended after it.

mod command;
mod endpoint;
mod payload;
mod pulse;

use super::worker::backoff_ms;
use crate::app::App;
use crate::domain::hook::{Hook, Target};
use crate::error::Result;
use crate::lifecycle;
use crate::store::{Delivery, Matter, Told};
use endpoint::Endpoint;
use payload::Nothing;
use pulse::Pulse;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Deliveries of one hook in flight, in one process.
const AT_ONCE: usize = 8;
/// How often the table is looked at; a settled event wakes the hook at once.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How often deliveries are looked for whose process died.
const EXPIRE_EVERY: Duration = Duration::from_secs(2);
/// A delivery is held for as long as a try may take, and for this long beyond: its end has to be written.
const BEYOND_MS: i64 = 15_000;
/// When wxops stops, what is in flight gets so long to end.
const LAST_WORK: Duration = Duration::from_secs(3);
/// Between two tries of writing down how a delivery ended.
const WRITE_AGAIN: Duration = Duration::from_millis(500);

/// What a receiver made of a try.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Answer {
    /// It has it.
    Taken,
    /// It was there and did not take it.
    Refused(String),
    /// It could not be reached, or says that it is busy: nothing arrived.
    Away { why: String, after: Option<Duration> },
    /// Whether it arrived is not known.
    Unknown(String),
    /// It wants to hear no more.
    Gone(String),
    /// There was nothing to send: its person is erased, or the event is deleted.
    Unasked,
}

/// How a hook stands in `channel`: under the account `*`.
pub fn channel(hook: &str) -> String {
    format!("hook:{hook}")
}

/// A hook and the way to its receiver.
struct Teller {
    hook: Hook,
    endpoint: Option<Endpoint>,
}

/// Tells one hook until `stop`.
pub async fn tell(app: Arc<App>, hook: Hook, mut stop: watch::Receiver<bool>) {
    let name = hook.name.clone();
    let endpoint = match &hook.to {
        Target::Command(_) => None,
        Target::Url { url, keys, proxy, .. } => match Endpoint::new(&hook, url, keys, proxy.as_ref()) {
            Ok(endpoint) => Some(endpoint),
            Err(error) => {
                let error = error.without_url();
                return tracing::error!(hook = name, %error, "no connections can be made for the hook: nothing is sent to it");
            }
        },
    };
    let teller = Arc::new(Teller { hook, endpoint });
    let mut pulse = Pulse::new(&name);
    // Those who run are told when they must come to an end.
    let (cut, cutting) = watch::channel(false);
    let mut running: JoinSet<(u64, Answer)> = JoinSet::new();
    let mut expired: Option<Instant> = None;
    loop {
        let woken = app.hooks.due.notified();
        match step(&app, &teller, &mut pulse, &mut running, &cutting, &mut expired).await {
            Ok(()) => {}
            Err(error) => tracing::debug!(%error, hook = name, "the hook found the database away"),
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = woken => {}
            Some(Ok((turn, answer))) = running.join_next() => note(&app, &mut pulse, turn, &answer).await,
            () = lifecycle::until(&mut stop) => break,
        }
        // Others that ended meanwhile make room too.
        while let Some(Ok((turn, answer))) = running.try_join_next() {
            note(&app, &mut pulse, turn, &answer).await;
        }
    }
    let all = async { while running.join_next().await.is_some() {} };
    if tokio::time::timeout(LAST_WORK, all).await.is_err() {
        cut.send_replace(true);
        while running.join_next().await.is_some() {}
    }
}

async fn note(app: &App, pulse: &mut Pulse, turn: u64, answer: &Answer) {
    if let Err(error) = pulse.note(app, turn, answer).await {
        tracing::debug!(%error, "the state of a hook could not be written");
    }
}

/// Starts what is due and finds room.
async fn step(
    app: &Arc<App>,
    teller: &Arc<Teller>,
    pulse: &mut Pulse,
    running: &mut JoinSet<(u64, Answer)>,
    cutting: &watch::Receiver<bool>,
    expired: &mut Option<Instant>,
) -> Result<()> {
    let hook = &teller.hook;
    if expired.is_none_or(|last| last.elapsed() > EXPIRE_EVERY) {
        let lost = app.store.expire_hook(hook, app.now_ms()).await?;
        *expired = Some(Instant::now());
        if lost > 0 {
            tracing::warn!(
                hook = hook.name,
                lost,
                "deliveries whose process died; wxops sends unknown lists those in doubt"
            );
        }
    }
    let room = pulse.room(app, AT_ONCE - running.len()).await?;
    if room == 0 {
        return Ok(());
    }
    let hold_ms = i64::try_from(hook.timeout.as_millis()).unwrap_or(i64::MAX / 4) + BEYOND_MS;
    let rows = app.store.claim_hook(&hook.name, i64::try_from(room).unwrap_or(1), hold_ms, app.now_ms()).await?;
    if rows.is_empty() {
        return pulse.unused(app).await;
    }
    for row in rows {
        let (app, teller, cutting, turn) = (app.clone(), teller.clone(), cutting.clone(), pulse.turn());
        running.spawn(async move { (turn, teller.one(&app, &row, cutting).await) });
    }
    Ok(())
}

impl Teller {
    /// One try, from the message to how it ended.
    async fn one(&self, app: &App, delivery: &Delivery, mut cutting: watch::Receiver<bool>) -> Answer {
        let payload = match payload::of(&self.hook.name, delivery) {
            Ok(payload) => payload,
            Err(nothing) => {
                self.settle(app, delivery, unsent(nothing)).await;
                return Answer::Unasked;
            }
        };
        let sent = async {
            match (&self.hook.to, &self.endpoint) {
                (Target::Command(words), _) => command::run(&self.hook, words, delivery, &payload).await,
                (_, Some(endpoint)) => endpoint.send(&payload, app.now_ms() / 1000).await,
                (_, None) => Answer::Away { why: "no connections can be made".to_owned(), after: None },
            }
        };
        let answer = tokio::select! {
            answer = sent => answer,
            () = lifecycle::until(&mut cutting) => {
                Answer::Unknown("wxops stopped while it was sending; whether it arrived is not known".to_owned())
            }
        };
        let told = self.judge(app, delivery, &answer);
        self.settle(app, delivery, told).await;
        answer
    }

    /// What becomes of a delivery. An erasure is told until it is heard.
    fn judge(&self, app: &App, delivery: &Delivery, answer: &Answer) -> Told {
        let erasure = matches!(delivery.of, Matter::Erasure);
        let again = |error: &String| match !erasure && delivery.attempt >= self.hook.tries {
            true => Told::Ended { state: "failed", error: Some(error.clone()) },
            false => {
                let due_at = app.now_ms() + backoff_ms(delivery.attempt - 1);
                Told::Again { due_at, error: error.clone(), counts: true }
            }
        };
        match answer {
            Answer::Taken | Answer::Unasked => Told::Delivered,
            Answer::Refused(error) => again(error),
            Answer::Away { why, .. } => Told::Again { due_at: app.now_ms(), error: why.clone(), counts: false },
            Answer::Unknown(error) if self.hook.repeats || erasure => again(error),
            Answer::Unknown(error) => Told::Ended { state: "unknown", error: Some(error.clone()) },
            Answer::Gone(error) => Told::Ended { state: "gone", error: Some(error.clone()) },
        }
    }

    /// Written again for as long as the delivery is held: a receiver that has it should not get it twice because the
    /// database was away for a moment.
    async fn settle(&self, app: &App, delivery: &Delivery, told: Told) {
        let end = Instant::now() + Duration::from_millis(BEYOND_MS.unsigned_abs());
        loop {
            match app.store.settle_hook(&self.hook.name, delivery, &told, app.now_ms()).await {
                Ok(true) => return self.log(app, delivery, &told),
                Ok(false) => return tracing::debug!(delivery = delivery.id, "another process took the delivery over"),
                Err(_) if Instant::now() < end => tokio::time::sleep(WRITE_AGAIN).await,
                Err(error) => {
                    let hook = &self.hook.name;
                    return tracing::error!(hook, delivery = delivery.id, %error, "how a delivery ended could not be written");
                }
            }
        }
    }

    /// Counted, and one line for what a person may want to know.
    fn log(&self, app: &App, delivery: &Delivery, told: &Told) {
        let (hook, delivery_id, attempt) = (self.hook.name.as_str(), delivery.id, delivery.attempt);
        let event = if let Matter::Event { id, .. } = delivery.of { Some(id) } else { None };
        let result = match told {
            Told::Delivered => {
                tracing::debug!(hook, delivery = delivery_id, event, attempt, "delivered");
                "delivered"
            }
            Told::Again { error, .. } => {
                tracing::warn!(
                    hook,
                    delivery = delivery_id,
                    event,
                    attempt,
                    error,
                    "delivery failed, will be tried again"
                );
                "retry"
            }
            Told::Ended { state: "erased", .. } => {
                tracing::debug!(hook, delivery = delivery_id, event, "not delivered: the person is erased");
                "erased"
            }
            Told::Ended { state, error } => {
                let next = event.map(|id| format!("wxops events replay {id} --hook {hook}"));
                tracing::error!(hook, delivery = delivery_id, event, attempt, error, next, "delivery ended as {state}");
                state
            }
        };
        app.metrics.hook_deliveries.with_label_values(&[hook, result]).inc();
    }
}

fn unsent(nothing: Nothing) -> Told {
    match nothing {
        Nothing::Erased => Told::Ended { state: "erased", error: None },
        Nothing::Gone => Told::Ended { state: "gone", error: Some("the event was deleted".to_owned()) },
        Nothing::Unreadable(why) => {
            Told::Ended { state: "failed", error: Some(format!("the stored message can't be read: {why}")) }
        }
    }
}
