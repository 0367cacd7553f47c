//! HTTP endpoints: what they are told, and what becomes of what they do not take.

use super::receiver::{Does, KEY, Receiver, deliveries, hurry, reach, say};
use crate::messages::{OPENID, subscribe};
use crate::stage::{Stage, until};
use crate::stories::stories;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

stories! {
    what_matches_is_told_and_signed,
    a_slow_receiver_holds_up_nobody_else,
    what_fails_is_tried_again_and_then_parked,
    a_redirect_is_not_followed,
    one_that_is_gone_is_told_nothing_more,
    one_that_is_busy_costs_no_try,
    a_reload_brings_and_takes_hooks,
}

const EVERYTHING: &str = "events = [\"*\"]";

/// Each matching event once, at each hook that wants it, signed with the current and the previous key.
async fn what_matches_is_told_and_signed(mut stage: Stage) {
    let (all, texts) = (Receiver::start(Does::Answers(200, "")).await, Receiver::start(Does::Answers(204, "")).await);
    let old = "whsec_b2xkIG9sZCBvbGQgb2xkIG9sZCBvbGQgb2xkIG9sZA==";
    stage.account_settings = all.hook("every", &format!("secret_previous = \"{old}\"\n{EVERYTHING}"))
        + &texts.hook("texts", "events = [\"text\"]\naccounts = [\"main\"]");
    let serve = stage.serve().await;
    assert_eq!(serve.push(&subscribe(OPENID)).await.status, 200);
    say(&serve, OPENID, "你好 \"x\"", 7001).await;
    let (told, text) = (all.has(2).await, texts.has(1).await);
    reach(&stage, "delivered", 3).await;

    let of = |kind: &str| told.iter().find(|told| told.json()["type"] == kind).unwrap();
    let (follows, said) = (of("event.subscribe").json(), of("message.text").json());
    assert_eq!(follows["data"]["openid"], OPENID);
    assert_eq!(follows["data"]["message"]["Event"], "subscribe");
    assert_eq!(said["data"]["message"]["Content"], "你好 \"x\"");
    assert_eq!(said["data"]["message"]["MsgId"], "7001");
    assert_eq!(said["data"]["account"], "main");
    let id: i64 = said["data"]["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(
        stage.number(&format!("SELECT COUNT(*) FROM inbox_event WHERE id = {id} AND kind = 'message.text'")).await,
        1
    );
    assert!(said["timestamp"].as_str().unwrap().ends_with(".000Z"), "{said}");
    for told in told.iter().chain(&text) {
        assert_eq!(told.header("content-type"), "application/json");
        assert_verified(&stage, told, KEY).await;
    }
    for told in &told {
        assert_verified(&stage, told, old).await;
    }
    assert_ne!(of("message.text").header("webhook-id"), text[0].header("webhook-id"), "each hook has its own");

    // A retried push is the same event, and tells nobody again.
    let again = stage.rows("SELECT raw FROM inbox_event WHERE kind = 'message.text'").await[0][0].clone().unwrap();
    assert_eq!(serve.push(&again).await.status, 200);
    assert_eq!((stage.number("SELECT COUNT(*) FROM hook_delivery").await, stage.stored().await), (3, 2));

    let shown = stage.verb(&["--json", "events", "show", &id.to_string()]).await.expect_code(0).json();
    let states: Vec<_> = shown[0]["deliveries"].as_array().unwrap().iter().map(|one| &one["state"]).collect();
    assert_eq!(states, ["delivered", "delivered"], "{shown:?}");
    let shown = stage.verb(&["events", "show", &id.to_string()]).await.expect_code(0);
    assert!(shown.stdout.contains("texts") && shown.stdout.contains("delivered, 1 try"), "{}", shown.stdout);
    assert_eq!(serve.metric("wxops_hook_deliveries_total", &[("result", "delivered")]).await, 3.0);
    assert!(!serve.log().contains("deliver") && !serve.log().contains(&KEY[6..]), "{}", serve.log());
}

/// Verified as the specification has it, by somebody else's HMAC.
async fn assert_verified(stage: &Stage, told: &super::receiver::Told, key: &str) {
    const VERIFY: &str = "import base64,hashlib,hmac,sys,time\n\
        key,id,at,signatures=sys.argv[1:5]\n\
        body=sys.stdin.buffer.read()\n\
        assert abs(time.time()-int(at))<300, at\n\
        mac=hmac.new(base64.b64decode(key.removeprefix('whsec_')),id.encode()+b'.'+at.encode()+b'.'+body,hashlib.sha256)\n\
        wanted='v1,'+base64.b64encode(mac.digest()).decode()\n\
        assert wanted in signatures.split(' '), signatures\n";
    let headers = ["webhook-id", "webhook-timestamp", "webhook-signature"].map(|name| told.header(name).to_owned());
    let python = Command::new("python3").args(["-c", VERIFY, key]).args(headers).stdin(Stdio::piped()).spawn();
    let Ok(mut python) = python else { return crate::rows::skip(&stage.config(), "there is no python3") };
    python.stdin.take().unwrap().write_all(told.body.as_bytes()).unwrap();
    assert!(python.wait().unwrap().success(), "{told:?}");
}

/// The fast one has all of them while the slow one still thinks about its first.
async fn a_slow_receiver_holds_up_nobody_else(mut stage: Stage) {
    let (slow, fast) = (Receiver::start(Does::Hangs).await, Receiver::start(Does::Answers(200, "")).await);
    stage.account_settings = slow.hook("slow", EVERYTHING) + &fast.hook("fast", EVERYTHING);
    let mut serve = stage.serve().await;
    for number in 0..30 {
        say(&serve, OPENID, "x", 100 + number).await;
    }
    fast.has(30).await;
    reach(&stage, "delivered", 30).await;
    assert!(slow.told().len() <= 8, "a bound on what is in flight");
    let of = |hook: &str| format!("SELECT COUNT(*) FROM hook_delivery WHERE hook = '{hook}' AND attempts = 1");
    assert_eq!(stage.number(&of("fast")).await, 30, "nothing of the fast one's is repeated");
    until("what waits to be counted", async || {
        (serve.metric("wxops_hook_pending", &[("hook", "slow")]).await == 30.0).then_some(())
    })
    .await;

    // It stops in time all the same; what was in flight is repeated by the next.
    let (code, took) = serve.stop().await;
    assert!(code == Some(0) && took < Duration::from_secs(5), "{code:?} after {took:?}");
    assert_eq!(deliveries(&stage, "pending").await, 30);
}

/// 500 is this delivery's fault: tried again under the same id, then parked until a person replays it.
async fn what_fails_is_tried_again_and_then_parked(mut stage: Stage) {
    let receiver = Receiver::start(Does::Answers(500, "")).await;
    stage.account_settings = receiver.hook("crm", "events = [\"message.*\"]\ntries = 3");
    let serve = stage.serve().await;
    say(&serve, OPENID, "x", 1).await;
    until("the end of its tries", async || {
        hurry(&stage).await;
        (deliveries(&stage, "failed").await == 1).then_some(())
    })
    .await;
    let told = receiver.told();
    assert_eq!(told.len(), 3);
    assert!(
        told.iter().all(|one| one.header("webhook-id") == told[0].header("webhook-id") && one.body == told[0].body)
    );
    assert!(serve.log().contains("delivery ended as failed"), "{}", serve.log());
    assert_eq!(serve.metric("wxops_hook_deliveries_total", &[("result", "retry")]).await, 2.0);

    let listed = stage.verb(&["--json", "events", "list", "--hook-failed"]).await.expect_code(0).json();
    let id = listed[0]["id"].as_str().unwrap();
    let shown = stage.verb(&["events", "show", id]).await.expect_code(0);
    assert!(shown.stdout.contains("failed, 3 tries") && shown.stdout.contains("HTTP 500"), "{}", shown.stdout);
    let status = stage.verb(&["status"]).await.expect_code(1);
    assert!(status.stderr.contains("crm 1") && status.stderr.contains("--hook"), "{}", status.stderr);

    receiver.now_does(Does::Answers(200, ""));
    let wrong = stage.verb(&["events", "replay", id, "--hook", "crn"]).await.expect_code(2);
    assert!(wrong.stderr.contains("crm"), "{}", wrong.stderr);
    stage.verb(&["events", "replay", "-n", id, "--hook", "crm"]).await.expect_code(0);
    assert_eq!(deliveries(&stage, "failed").await, 1);
    stage.verb(&["events", "replay", "--dead", "--hook", "crm"]).await.expect_code(0);
    reach(&stage, "delivered", 1).await;
    assert_eq!(receiver.told()[3].header("webhook-id"), told[0].header("webhook-id"));
    assert_eq!(stage.number("SELECT COUNT(*) FROM inbox_event WHERE state = 'done' AND attempts = 0").await, 1);
    stage.verb(&["status"]).await.expect_code(0);
}

async fn a_redirect_is_not_followed(mut stage: Stage) {
    let other = Receiver::start(Does::Answers(200, "")).await;
    let location: &'static str = Box::leak(format!("Location: http://{}/hook\r\n", other.address).into_boxed_str());
    let receiver = Receiver::start(Does::Answers(307, location)).await;
    stage.account_settings = receiver.hook("crm", "events = [\"*\"]\ntries = 1");
    let serve = stage.serve().await;
    say(&serve, OPENID, "x", 1).await;
    reach(&stage, "failed", 1).await;
    let error = stage.rows("SELECT last_error FROM hook_delivery").await[0][0].clone().unwrap();
    assert_eq!(error, "HTTP 307; redirects are not followed");
    assert!(other.told().is_empty());
}

/// 410: this one ended, those that wait are kept, and nothing is sent until a person says so.
async fn one_that_is_gone_is_told_nothing_more(mut stage: Stage) {
    let receiver = Receiver::start(Does::Answers(410, "")).await;
    stage.account_settings = receiver.hook("crm", EVERYTHING);
    let serve = stage.serve().await;
    say(&serve, OPENID, "x", 1).await;
    reach(&stage, "gone", 1).await;
    until("the rest of the hook", async || (stage.number("SELECT COUNT(*) FROM channel").await == 1).then_some(()))
        .await;
    say(&serve, OPENID, "y", 2).await;
    reach(&stage, "pending", 1).await;
    hurry(&stage).await;
    let status = stage.verb(&["status"]).await.expect_code(1);
    assert!(status.stderr.contains("410") && status.stderr.contains("crm"), "{}", status.stderr);
    let doctor = stage.verb(&["--json", "doctor"]).await;
    assert!(doctor.stdout.contains("410"), "{}", doctor.stdout);
    assert_eq!(receiver.told().len(), 1);

    receiver.now_does(Does::Answers(200, ""));
    stage.verb(&["events", "replay", "--dead", "--hook", "crm"]).await.expect_code(0);
    reach(&stage, "delivered", 2).await;
    until("the end of the rest", async || (stage.number("SELECT COUNT(*) FROM channel").await == 0).then_some(()))
        .await;
}

/// Not to be reached, or busy: the hook rests as long as it is asked to, and no delivery is worse off.
async fn one_that_is_busy_costs_no_try(mut stage: Stage) {
    let receiver = Receiver::start(Does::Answers(429, "Retry-After: 600\r\n")).await;
    stage.account_settings = receiver.hook("crm", "events = [\"*\"]\ntries = 1");
    let serve = stage.serve().await;
    say(&serve, OPENID, "x", 1).await;
    until("the rest of the hook", async || (stage.number("SELECT COUNT(*) FROM channel").await == 1).then_some(()))
        .await;
    let until_ms = stage.number("SELECT paused_until FROM channel WHERE api = 'hook:crm'").await;
    let left = until_ms / 1000 - crate::signer::now();
    assert!((590..=600).contains(&left), "{left} s");
    reach(&stage, "pending", 1).await;
    assert_eq!(stage.number("SELECT attempts FROM hook_delivery").await, 0);

    receiver.now_does(Does::Answers(200, ""));
    hurry(&stage).await;
    reach(&stage, "delivered", 1).await;
    until("the end of the rest", async || serve.log().contains("the hook's receiver is well again").then_some(()))
        .await;
}

/// A hook that comes with a reload is told what comes in from then on; one that goes is told nothing more.
async fn a_reload_brings_and_takes_hooks(mut stage: Stage) {
    let receiver = Receiver::start(Does::Answers(200, "")).await;
    let serve = stage.serve().await;
    say(&serve, OPENID, "before", 1).await;
    let loaded = async |stage: &Stage, count: usize| {
        stage.config();
        serve.hangup();
        until("the reload", async || {
            (serve.log().matches("configuration loaded again").count() == count).then_some(())
        })
        .await;
    };
    stage.account_settings = receiver.hook("crm", EVERYTHING);
    loaded(&stage, 1).await;
    assert!(!serve.log().contains("only after a restart"), "{}", serve.log());
    say(&serve, OPENID, "with", 2).await;
    reach(&stage, "delivered", 1).await;
    assert!(receiver.told()[0].body.contains("with"));

    stage.account_settings.clear();
    loaded(&stage, 2).await;
    say(&serve, OPENID, "after", 3).await;
    stage.settled().await;
    assert_eq!(stage.number("SELECT COUNT(*) FROM hook_delivery").await, 1);
    assert_eq!(serve.metric("wxops_hook_deliveries_total", &[]).await, 0.0, "its series are gone");
}
