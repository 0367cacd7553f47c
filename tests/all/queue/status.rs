//! What `status`, its alarms, `doctor` and /metrics say of the queue.

use crate::drain::{Crm, stories};
use crate::http;
use crate::platform::{ClockFile, verb_in};
use crate::process::{Outcome, Server};
use crate::rows::Db;
use crate::stage::{Stage, until};
use serde_json::Value;
use unicode_width::UnicodeWidthStr;

const ROBOT: &str = "/cgi-bin/webhook/send";
const QUARTER: i64 = 16 * 60;

stories! {
    the_queue_is_on_the_screen,
    what_nobody_sends_is_told_once,
    what_is_given_back_again_and_again_is_late,
    a_database_that_is_away,
    an_application_that_only_sends_is_served,
    the_doctor_looks_at_the_queue,
    the_queue_is_counted,
}

async fn screen(crm: &Crm, code: i32) -> (String, Value) {
    let screen = crm.stage.verb(&["status"]).await.expect_code(code);
    let long: Vec<_> = screen.stdout.lines().filter(|line| line.width() > 80).collect();
    assert!(long.is_empty(), "{long:?}");
    let json = crm.stage.verb(&["--json", "status"]).await.expect_code(code).json().remove(0);
    (screen.stdout, json)
}

/// Rows were made, and due, so many seconds earlier.
async fn earlier(crm: &Crm, seconds: i64) {
    let made = match crm.stage.db {
        Db::Sqlite => format!("strftime('%Y-%m-%dT%H:%M:%fZ', created_at, '-{seconds} seconds')"),
        Db::MariaDb => format!("created_at - INTERVAL {seconds} SECOND"),
    };
    crm.stage.execute(&format!("UPDATE member_notification_queue SET created_at = {made}")).await;
    crm.pass_time(seconds).await;
}

fn kinds(shown: &Value) -> Vec<&str> {
    shown["alarms"].as_array().unwrap().iter().map(|alarm| alarm["alarm"].as_str().unwrap()).collect()
}

async fn the_queue_is_on_the_screen(stage: Stage) {
    let crm = Crm::new(stage, &["--wecom-invalid", "gone"], "gone", "").await;
    let (text, json) = screen(&crm, 0).await;
    assert!(text.contains("queue      ok     pending 0, due 0; given up in a day 0\n"), "{text}");
    assert_eq!((&json["queue"]["late_after_seconds"], &json["queue"]["alarm"]), (&900.into(), &false.into()));
    // An application that receives no callbacks is silent to nobody's surprise.
    let callbacks: Vec<&Value> = json["callbacks"].as_array().unwrap().iter().map(|one| &one["account"]).collect();
    assert_eq!(callbacks, ["main"]);

    crm.register(2, 2).await;
    earlier(&crm, 120).await;
    let (text, json) = screen(&crm, 0).await;
    assert!(text.contains("queue      ok     pending 2, due 2, oldest 2 min; given up in a day 0\n"), "{text}");
    assert_eq!((&json["queue"]["pending"], &json["queue"]["due"]), (&2.into(), &2.into()));
    let zh = crm.stage.verb(&["--lang", "zh", "status"]).await.expect_code(0).stdout;
    assert!(zh.contains("通知队列") && zh.contains("待发送 2，到期 2，最早的已等 2 分钟"), "{zh}");

    // Given up: an alarm for a day.
    crm.stage.verb(&["queue", "drain"]).await.expect_code(3);
    let (text, json) = screen(&crm, 1).await;
    assert!(text.contains("queue      ALARM  pending 0, due 0; given up in a day 2\n"), "{text}");
    assert_eq!(kinds(&json), ["job", "queue_dead"]);
    let what = json["alarms"][1]["what"].as_str().unwrap();
    assert!(what.contains("within a day: 2") && what.contains("81013"), "{what}");
    // They were under way together: either may have ended last.
    let newest = json["queue"]["newest_given_up"]["id"].as_str().unwrap();
    assert!(["1", "2"].contains(&newest), "{newest}");
    let before = if crm.stage.db == Db::Sqlite { "'2020-01-01T00:00:00.000Z'" } else { "'2020-01-01'" };
    crm.stage.execute(&format!("UPDATE member_notification_queue SET processed_at = {before}")).await;
    crm.stage.execute("DELETE FROM job_run").await;
    let (_, json) = screen(&crm, 0).await;
    assert_eq!((&json["queue"]["given_up_within_a_day"], &json["ok"]), (&0.into(), &true.into()));

    // A way that is paused has its line until the pause is over.
    let pause = |until: &str| {
        format!(
            "INSERT INTO channel (account, api, reason, paused_until) VALUES ('crm', 'message/send', 'errcode 45009', {until})"
        )
    };
    crm.stage.execute(&pause("0")).await;
    assert!(!screen(&crm, 0).await.0.contains("paused"));
    crm.stage.execute("DELETE FROM channel").await;
    crm.stage.execute(&pause("99999999999999")).await;
    let (text, json) = screen(&crm, 0).await;
    assert!(text.contains("crm: message/send, next try in"), "{text}");
    assert_eq!(json["queue"]["paused"][0]["api"], "message/send");
}

async fn what_nobody_sends_is_told_once(stage: Stage) {
    let mut crm = Crm::new(stage, &[], "zhang", "").await;
    crm.with_robot();
    let robot = crm.app.split("webhook_key = \"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let robot = format!("http://{}{ROBOT}?key={robot}", crm.stage.sandbox());
    crm.stage.settings = format!("alert_webhook = \"{robot}\"\n{}", crm.stage.settings);
    let mut clock = ClockFile::of(&mut crm.stage);
    crm.register(3, 3).await;
    earlier(&crm, QUARTER).await;
    let (text, json) = screen(&crm, 1).await;
    assert!(text.contains("queue      ALARM  pending 3, due 3, oldest 16 min"), "{text}");
    assert_eq!(kinds(&json), ["queue"]);

    let told = async || {
        let calls = crm.platform.calls(ROBOT).await;
        calls
            .iter()
            .map(|call| call["body"]["text"]["content"].as_str().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    let _serve = crm.stage.serve().await;
    clock.advance(60);
    until("the group to be told", async || (told().await.len() == 1).then_some(())).await;
    let alarm = told().await.remove(0);
    assert!(
        alarm.contains("ALARM wxops: notifications of members that are not sent: 3 due, one for 16 min"),
        "{alarm}"
    );
    assert!(alarm.contains("> run wxops queue drain"), "{alarm}");
    let again = crm.stage.verb(&["status", "--notify"]).await.expect_code(1).stdout;
    assert!(again.contains("nothing to tell the group robot"), "{again}");
    crm.drain(0).await;
    clock.advance(60);
    until("the end to be told", async || (told().await.len() == 2).then_some(())).await;
    assert!(told().await[1].contains("OVER wxops: notifications of members are sent again"));
    screen(&crm, 0).await;
}

/// A drain that the platform sends away gives its rows back, due at once: they are late all the same.
async fn what_is_given_back_again_and_again_is_late(stage: Stage) {
    let crm = Crm::new(stage, &["--fault", "ip-not-listed@wecom=1"], "zhang", "").await;
    crm.register(1, 1).await;
    earlier(&crm, QUARTER).await;
    crm.stage.verb(&["queue", "drain"]).await.expect_code(77);
    let (text, json) = screen(&crm, 1).await;
    assert!(text.contains("queue      warn   pending 1, due 1, oldest 16 min"), "{text}");
    assert_eq!(kinds(&json), ["job"], "the drain itself has failed");
    // Where nobody runs it as a job, whoever looks again after two minutes knows.
    crm.stage.execute("DELETE FROM job_run").await;
    let webhook = wxops::sandbox::webhook(&format!("http://{}", crm.stage.sandbox()), 1);
    let mut crm = crm;
    crm.stage.settings = format!("alert_webhook = \"{webhook}\"\n{}", crm.stage.settings);
    let mut clock = ClockFile::of(&mut crm.stage);
    crm.stage.verb(&["status", "--notify"]).await.expect_code(0);
    clock.advance(121);
    let late = crm.stage.verb(&["status", "--notify"]).await.expect_code(1);
    assert!(late.stdout.contains("ALARM wxops: notifications of members that are not sent"), "{}", late.stdout);
}

async fn a_database_that_is_away(stage: Stage) {
    let crm = Crm::new(stage, &[], "zhang", "").await;
    let url = match crm.stage.db {
        Db::Sqlite => format!("sqlite://{}", crm.stage.folder().join("gone.db").display()),
        Db::MariaDb => "mysql://root:CANARY-5e@127.0.0.1:1/crm".to_owned(),
    };
    let elsewhere = |text: &str| text.replace("[queue]\n", &format!("[queue]\ndatabase_url = \"{url}\"\n"));
    let says = async |args: &[&str], code: i32| -> Outcome {
        let change = |text: &str| alone(&elsewhere(text));
        let done = verb_in(&crm.stage, change, args, "").await.expect_code(code);
        assert!(!done.stdout.contains("CANARY") && !done.stderr.contains("CANARY"), "{done:?}");
        done
    };
    let away = says(&["status"], 1).await;
    assert!(away.stdout.contains("queue      ALARM  its database: "), "{}", away.stdout);
    assert!(away.stderr.contains("WXOPS_QUEUE_DATABASE_URL"), "{}", away.stderr);
    let json = says(&["--json", "status"], 1).await.json().remove(0);
    assert_eq!(kinds(&json), ["queue_away"]);
    let found = says(&["--json", "doctor"], if crm.stage.db == Db::Sqlite { 78 } else { 69 }).await.json().remove(0);
    let queue = found["checks"].as_array().unwrap().iter().find(|one| one["check"] == "queue").unwrap().clone();
    assert_eq!(queue["state"], "fail", "{queue}");
}

/// The configuration of an application without any Official Account.
fn alone(text: &str) -> String {
    let (before, after) = text.split_once("[official.main]").unwrap();
    let rest = after.find("\n[").map_or("", |at| &after[at..]);
    format!("{before}{rest}")
}

async fn an_application_that_only_sends_is_served(stage: Stage) {
    let crm = Crm::new(stage, &[], "zhang", "in_serve = true").await;
    let status = verb_in(&crm.stage, alone, &["status"], "").await.expect_code(0).stdout;
    assert!(status.contains("queue      ok") && !status.contains("callbacks"), "{status}");
    let doctor = verb_in(&crm.stage, alone, &["doctor"], "").await.expect_code(0).stdout;
    assert!(doctor.contains("accounts: crm (wecom)") && doctor.contains("IP list crm"), "{doctor}");

    let config = crm.stage.folder().join("other.toml").display().to_string();
    let args = ["--config", &config, "serve"];
    let mut serve = Server::start(crm.stage.folder(), &args, &[], "listening on http://").await;
    assert!(serve.log().contains("crm (wecom)"), "{}", serve.log());
    crm.register(1, 1).await;
    until("the member to be told of", async || (crm.received().await.len() == 1).then_some(())).await;
    assert_eq!(http::get(serve.address, "/readyz").await.unwrap().status, 200);
    serve.signal("TERM");
    assert_eq!(serve.wait().await, Some(0), "{}", serve.log());
}

/// The findings of one check: state, what, next.
fn found(outcome: Outcome, check: &str) -> Vec<(String, String, String)> {
    let report = outcome.json().remove(0);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let of =
        report["checks"].as_array().unwrap().iter().filter(|one| one["check"] == check && one["account"] != "main");
    of.map(|one| (text(&one["state"]), text(&one["what"]), text(&one["next"]))).collect()
}

async fn the_doctor_looks_at_the_queue(stage: Stage) {
    let mut crm = Crm::new(stage, &[], "zhang", "").await;
    let doctor = async |crm: &Crm, code: i32, check: &str| {
        let done = verb_in(&crm.stage, alone, &["--json", "doctor"], "").await.expect_code(code);
        found(done, check)
    };
    let well = doctor(&crm, 0, "queue").await;
    assert!(well.len() == 1 && well[0].1.contains("stands as configured, pending 0"), "{well:?}");
    let listed = doctor(&crm, 0, "ip_list").await;
    assert!(
        listed.len() == 1 && listed[0].0 == "ok" && listed[0].1.contains("a business API takes calls"),
        "{listed:?}"
    );

    // gettoken works, and that proves nothing.
    crm.platform.faults(&["60020@wecom=1"]).await;
    let done = verb_in(&crm.stage, alone, &["--json", "doctor"], "").await.expect_code(77);
    let report = done.json().remove(0);
    let states: Vec<_> = report["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["check"].as_str().unwrap(), one["state"].as_str().unwrap()))
        .collect();
    assert!(states.contains(&("credentials", "ok")) && states.contains(&("ip_list", "fail")), "{states:?}");
    let listed = found(done, "ip_list");
    assert!(listed[0].1.contains("60020") && listed[0].2.contains("trusted IPs"), "{listed:?}");
    crm.platform.faults(&[]).await;

    crm.stage.execute("DROP TRIGGER tr_member_insert_notification").await;
    let drifted = doctor(&crm, 1, "queue").await;
    assert!(
        drifted[0].1.contains("tr_member_insert_notification") && drifted[0].2.contains("wxops queue install"),
        "{drifted:?}"
    );
    crm.stage.verb(&["queue", "install", "--yes"]).await.expect_code(0);

    crm.register(1, 1).await;
    earlier(&crm, QUARTER).await;
    let late = doctor(&crm, 1, "queue").await;
    assert!(
        late.len() == 1 && late[0].1.contains("1 due, one for 16 min") && late[0].2.contains("queue drain"),
        "{late:?}"
    );
    crm.stage.execute("UPDATE member_notification_queue SET status = 'cancelled'").await;

    crm.app = "to_user = \"zhang\"\nwebhook_key = \"not-of-a-robot\"\n".into();
    crm.queue = "template = \"gone.md\"".into();
    crm.configure();
    let words = doctor(&crm, 78, "queue").await;
    assert!(
        words.iter().any(|(state, what, _)| state == "warn" && what.contains("does not look like a robot's")),
        "{words:?}"
    );
    assert!(words.iter().any(|(state, what, _)| state == "fail" && what.contains("gone.md")), "{words:?}");

    crm.queue = String::new();
    crm.app = "to_user = \"zhang\"\n".into();
    crm.configure();
    for table in ["member_notification_queue", "send_pace", "queue_capture"] {
        crm.stage.execute(&format!("DROP TABLE {table}")).await;
    }
    let none = doctor(&crm, 0, "queue").await;
    assert!(none.len() == 1 && none[0].0 == "warn" && none[0].2.contains("queue install"), "{none:?}");
    crm.app = String::new();
    crm.configure();
    assert!(doctor(&crm, 0, "queue").await.is_empty(), "who asks for no messages needs no queue");
}

async fn the_queue_is_counted(stage: Stage) {
    let mut crm = Crm::new(stage, &["--wecom-invalid", "gone"], "gone", "").await;
    crm.register(1, 1).await;
    crm.drain(3).await;
    crm.app = "to_user = \"zhang\"\n".into();
    crm.configure();
    crm.register(2, 2).await;
    earlier(&crm, 300).await;
    let serve = crm.stage.serve().await;
    let notices = async |state: &str| serve.metric("wxops_queue_notices", &[("state", state)]).await;
    until("the count", async || (notices("pending").await == 2.0).then_some(())).await;
    assert_eq!((notices("dead").await, notices("processing").await), (1.0, 0.0));
    let oldest = serve.metric("wxops_queue_oldest_timestamp_seconds", &[]).await;
    let age = crate::signer::now() as f64 - oldest;
    assert!((295.0..330.0).contains(&age), "{age}");

    let sent = async || {
        let of = [("platform", "wecom"), ("api", "message/send"), ("errcode", "0")];
        serve.metric("wxops_platform_calls_total", &of).await
    };
    assert_eq!(sent().await, 0.0);
    crm.queue = "in_serve = true".into();
    crm.configure();
    crm.stage.config();
    serve.hangup();
    until("both to be sent", async || (sent().await == 2.0).then_some(())).await;
    until("none to wait", async || (notices("pending").await == 0.0).then_some(())).await;
    assert_eq!(serve.metric("wxops_queue_oldest_timestamp_seconds", &[]).await, 0.0);
}
