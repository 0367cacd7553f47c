//! The screen for programs.

use super::Facts;
use crate::alarm::{Callbacks, JobState, Kind, Paused, QueueState};
use crate::commands::time_json;
use crate::domain::silence;
use crate::error::Text;
use crate::store::{Holder, SpoolRow, StoredToken};
use serde_json::{Value, json};

pub(super) fn of(facts: &Facts) -> Value {
    let (health, inbox, profiles) = (&facts.health, &facts.health.inbox, &facts.profiles);
    let callbacks = health.callbacks.iter().filter(|callbacks| facts.shows(&callbacks.account));
    let paused = health.paused.iter().filter(|paused| facts.shows(&paused.pause.account));
    let english = |texts: &[Text]| texts.iter().map(|text| text.en.clone()).collect::<Vec<_>>();
    let alarm = |finding: &crate::alarm::Finding| {
        let account = (!finding.is_of_all()).then_some(&finding.account);
        json!({ "alarm": finding.kind.as_str(), "account": account, "what": finding.what.en, "next": finding.next.en })
    };
    json!({
        "ok": facts.alarms.is_empty(),
        "alarms": facts.alarms.iter().map(alarm).collect::<Vec<_>>(),
        "warnings": english(&facts.database.warnings),
        "callbacks": callbacks.map(|callbacks| callbacks_of(facts, callbacks)).collect::<Vec<_>>(),
        "refused_since_start": facts.refused,
        "inbox": {
            "new": inbox.new,
            "oldest_new_at": inbox.oldest.map(time_json),
            "due_seconds": inbox.due_since.map(|since| seconds(health.now_ms - since)),
            "dead": inbox.dead,
            "alarm": facts.alarm_of(Kind::Dead, "") || facts.alarm_of(Kind::Backlog, ""),
        },
        "profiles": {
            "due": profiles.due,
            "first_due_at": profiles.first_due_at.map(time_json),
            "given_up": profiles.given_up,
            "given_up_of_newest": profiles.given_up_of,
        },
        "tokens": facts.tokens.iter().map(|(name, token)| token_of(facts, name, token)).collect::<Vec<_>>(),
        "paused": paused.map(|paused| paused_of(facts, paused)).collect::<Vec<_>>(),
        "hooks": hooks_of(facts),
        "queue": health.queue.as_ref().map(|queue| queue_of(facts, queue)),
        "jobs": health.jobs.iter().filter(|job| facts.shows(&job.account)).map(|job| job_of(facts, job)).collect::<Vec<_>>(),
        "serve": health.serve.as_ref().map(serve_of),
        "spool": facts.health.spools.iter().map(spool_of).collect::<Vec<_>>(),
        "database": {
            "kind": facts.database.kind,
            "name": facts.database.name,
            "bytes": facts.database.bytes,
            "oldest_callback_at": facts.database.oldest.map(time_json),
        },
        "api_base": facts.elsewhere.iter().map(|(name, base)| json!({ "account": name, "api_base": base })).collect::<Vec<_>>(),
        "sandbox": facts.sandbox,
        "told": facts.told.as_deref().map(english),
        "dry_run": facts.dry_run,
    })
}

fn callbacks_of(facts: &Facts, callbacks: &Callbacks) -> Value {
    json!({
        "account": callbacks.account,
        "last_callback_at": callbacks.last.map(time_json),
        "silence_seconds": callbacks.silence(facts.health.now_ms).map(seconds),
        "usual_seconds": callbacks.usual.map(seconds),
        "alarm_after_seconds": callbacks.usual.map(silence::alarm_after).map(seconds),
        "alarm": facts.alarm_of(Kind::Silence, &callbacks.account),
        "alarm_since": callbacks.alarm_since.map(time_json),
    })
}

fn token_of(facts: &Facts, account: &str, token: &StoredToken) -> Value {
    let age = token.refreshed_at.map(|at| seconds(facts.health.now_ms - at.timestamp_millis()));
    json!({
        "account": account,
        "stored": token.token.is_some(),
        "age_seconds": age,
        "expires_at": token.expires_at.map(time_json),
        "seconds_left": token.expires_at.map(|end| seconds(end - facts.health.now_ms)),
        "generation": token.generation.to_string(),
        "alarm": facts.alarm_of(Kind::Token, account),
    })
}

fn paused_of(facts: &Facts, Paused { pause, since }: &Paused) -> Value {
    json!({
        "account": pause.account,
        "api": pause.api,
        "reason": pause.reason,
        "paused_until": time_json(pause.paused_until),
        "since": since.map(time_json),
        "alarm": pause.api == "*" && facts.alarm_of(Kind::Paused, &pause.account),
    })
}

fn queue_of(facts: &Facts, queue: &QueueState) -> Value {
    let alarm = [Kind::Queue, Kind::QueueDead, Kind::QueueAway].iter().any(|kind| facts.alarm_of(*kind, ""));
    match queue {
        QueueState::Stands { watch, late_ms, paused } => json!({
            "pending": watch.pending,
            "due": watch.due,
            "oldest_due_seconds": watch.oldest_ms.map(seconds),
            "late_after_seconds": seconds(*late_ms),
            "given_up_within_a_day": watch.given_up,
            "newest_given_up": watch.newest.as_ref().map(|(id, why)| json!({ "id": id.to_string(), "error": why })),
            "paused": paused.iter().map(|pause| json!({
                "api": pause.api,
                "until": time_json(pause.paused_until),
                "reason": pause.reason,
            })).collect::<Vec<_>>(),
            "away": null,
            "alarm": alarm,
        }),
        QueueState::Away { why, .. } => json!({ "away": why.en, "alarm": alarm }),
    }
}

fn spool_of(spool: &SpoolRow) -> Value {
    json!({
        "place": spool.place,
        "events": spool.events,
        "bytes": spool.bytes,
        "oldest_at": spool.oldest_at.map(|at| time_json(at.timestamp_millis())),
        "set_aside": spool.set_aside,
    })
}

fn job_of(facts: &Facts, job: &JobState) -> Value {
    let now_ms = facts.health.now_ms;
    json!({
        "job": job.job,
        "account": job.account,
        "last_run": job.last.id.to_string(),
        "last_run_at": time_json(job.last.started_at.timestamp_millis()),
        "last_outcome": job.last.outcome.as_str(),
        "last_ok_at": job.last_ok.map(time_json),
        "usual_seconds": job.usual_ms.map(|ms| ms as f64 / 1000.0),
        "usual_gap_seconds": job.rhythm.map(|rhythm| seconds(rhythm.gap_ms)),
        "alarm": job.failed(now_ms) || job.overdue(now_ms),
    })
}

/// Those that are configured, and those that still have deliveries.
fn hooks_of(facts: &Facts) -> Vec<Value> {
    let hooks = &facts.health.hooks;
    let one = |name: String| {
        let count = |states: &[&str]| hooks.count(Some(&name), states);
        let rest = hooks.resting.iter().find(|pause| crate::alarm::hook_of(pause) == Some(name.as_str()));
        json!({
            "hook": name,
            "configured": hooks.configured.contains(&name),
            "waiting": count(&["pending", "sending"]),
            "failed": count(&["failed"]),
            "gone": count(&["gone"]),
            "unknown": count(&["unknown"]),
            "paused_until": rest.map(|pause| time_json(pause.paused_until)),
            "reason": rest.map(|pause| pause.reason.clone()),
        })
    };
    hooks.names().into_iter().map(one).collect()
}

fn serve_of(serve: &Holder) -> Value {
    let state = match serve.left_ms {
        Some(left) if left > 0 => "running",
        Some(_) => "died",
        None => "stopped",
    };
    json!({ "who": serve.who, "state": state })
}

fn seconds(ms: i64) -> i64 {
    ms / 1000
}
