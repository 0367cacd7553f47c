//! WeCom's callbacks: what is taken into the same inbox, what is refused, and what nobody does about them.

use crate::faults::{Stall, fault_stories};
use crate::http::{self, Answer};
use crate::messages::OPENID;
use crate::signer::{self, Keys, Push, now, signature};
use crate::stage::{Serve, Stage, until};
use crate::stories::stories;
use serde_json::json;
use std::fs;

stories! {
    the_url_check_answers_what_was_sealed,
    pushes_are_stored_once_and_do_nothing,
    the_json_form_is_the_same_message,
    what_is_no_push_of_ours_is_refused_without_a_word,
    old_and_new_keys_work_side_by_side,
    hooks_are_told_of_what_they_ask_for,
    an_application_alone_is_served_and_others_come_with_a_reload,
    status_doctor_and_init_know_the_application,
    callback_check_plays_the_console_and_a_push,
    the_sandbox_pushes_as_wecom_does,
}

mod away {
    use super::*;
    fault_stories! {
        what_comes_while_the_database_is_away_moves_in,
    }
}

/// What the console of an application shows; its CorpID stands in the place of the AppID.
pub fn keys() -> Keys {
    Keys {
        app_id: "ww0123456789abcdef".into(),
        secret: "theSecretOfTheApplication".into(),
        original_id: String::new(),
        token: "wecomToken9".into(),
        aes_key: "AwoRGB8mLTQ7QklQV15lbHN6gYiPlp2kq7K5wMfO1dw".into(),
    }
}

/// The table of an application that receives callbacks.
pub fn table(name: &str, keys: &Keys, agent: i64) -> String {
    let Keys { app_id, token, aes_key, .. } = keys;
    format!(
        "[wecom.{name}]\ncorp_id = \"{app_id}\"\nagent_id = {agent}\ntoken = \"{token}\"\naes_key = \"{aes_key}\"\n"
    )
}

/// A push of this message as the platform sends it.
pub fn push(keys: &Keys, message: &str) -> Push {
    let encrypt = signer::encrypt(keys, rand::random(), message.as_bytes());
    let body = format!(
        "<xml><ToUserName><![CDATA[{}]]></ToUserName><AgentID><![CDATA[1000002]]></AgentID>\
         <Encrypt><![CDATA[{encrypt}]]></Encrypt></xml>",
        keys.app_id
    );
    Push { query: query(keys, &encrypt), body: body.into() }
}

fn query(keys: &Keys, encrypt: &str) -> Vec<(String, String)> {
    let (time, nonce) = (now().to_string(), rand::random_range(1..u32::MAX).to_string());
    let signed = signature(&[&keys.token, &time, &nonce, encrypt]);
    [("msg_signature", signed), ("timestamp", time), ("nonce", nonce)]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
}

/// A message of a member.
fn text(from: &str, content: &str, id: u64) -> String {
    message(
        from,
        "text",
        &format!("<Content><![CDATA[{content}]]></Content><MsgId>{id}</MsgId><AgentID>1000002</AgentID>"),
    )
}

/// An event of this second.
fn event(name: &str, from: &str, fields: &str) -> String {
    message(from, "event", &format!("<Event><![CDATA[{name}]]></Event>{fields}"))
}

fn message(from: &str, kind: &str, fields: &str) -> String {
    format!(
        "<xml><ToUserName><![CDATA[ww0123456789abcdef]]></ToUserName><FromUserName><![CDATA[{from}]]></FromUserName>\
         <CreateTime>{}</CreateTime><MsgType><![CDATA[{kind}]]></MsgType>{fields}</xml>",
        now()
    )
}

async fn post(serve: &Serve, path: &str, push: &Push) -> Answer {
    let bytes = http::request("POST", &push.target(path), &[("Content-Type", "text/xml")], &push.body);
    http::once(serve.address(), &bytes).await.expect("an answer")
}

async fn taken(serve: &Serve, push: &Push) {
    let answer = post(serve, "/wecom/event", push).await;
    assert_eq!((answer.status, answer.body.len()), (200, 0), "{}", serve.log());
}

/// An application beside the account of the stage.
fn beside(stage: &mut Stage) {
    stage.settings += &table("crm", &keys(), 1_000_002);
}

async fn the_url_check_answers_what_was_sealed(mut stage: Stage) {
    beside(&mut stage);
    let serve = stage.serve().await;
    let echostr = signer::encrypt(&keys(), rand::random(), b"1616140317555161061");
    let check = Push { query: query(&keys(), &echostr), body: Vec::new() }.set("echostr", &echostr);
    let get = async |target: String| http::get(serve.address(), &target).await.unwrap();
    let bare = check.target("/wecom/crm/event").replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
    let blanks = check.target("/wecom/event").replace("%2B", "%20");
    for target in [check.target("/wecom/event"), bare, blanks] {
        let answer = get(target).await;
        assert_eq!((answer.status, answer.text().as_str()), (200, "1616140317555161061"), "{}", serve.log());
        assert!(answer.header("content-type").is_some_and(|kind| kind.starts_with("text/plain")), "{answer:?}");
    }
    let forged = check.clone().set("nonce", "1");
    for (target, status) in [
        (forged.target("/wecom/event"), 403),
        (check.clone().without("echostr").target("/wecom/event"), 403),
        (check.target("/wecom/shop/event"), 404),
        (check.target("/wecom/main/event"), 404),
        (check.target("/wecom/event/"), 404),
        (check.target("/wechat/event"), 403),
    ] {
        let answer = get(target.clone()).await;
        assert_eq!((answer.status, answer.body.len()), (status, 0), "{target}");
    }
    let refused = async |reason: &str| {
        serve.metric("wxops_callback_refused_total", &[("platform", "wecom"), ("reason", reason)]).await
    };
    assert_eq!((refused("msg_signature").await, refused("missing_parameter").await), (1.0, 1.0));
    assert_eq!(refused("unknown_account").await, 3.0);
    let put = http::request("PUT", &check.target("/wecom/event"), &[], b"");
    assert_eq!(http::once(serve.address(), &put).await.unwrap().status, 405);
}

async fn pushes_are_stored_once_and_do_nothing(mut stage: Stage) {
    beside(&mut stage);
    let serve = stage.serve().await;
    let hello = text("li.si@corp", "你好", 7_000_000_000_000_000_001);
    for _ in 0..3 {
        taken(&serve, &push(&keys(), &hello)).await;
    }
    // An Official Account's events of these names make followers; these are of staff.
    let member = |user: &str| format!("<ChangeType>create_user</ChangeType><UserID>{user}</UserID>");
    for message in [
        event("subscribe", "zhang", "<AgentID>1000002</AgentID>"),
        event("unsubscribe", "zhang", "<AgentID>1000002</AgentID>"),
        event("LOCATION", "zhang", "<Latitude>23.1</Latitude><Longitude>113.3</Longitude><Precision>65</Precision>"),
        // Of one second, from one sender: two people all the same.
        event("change_contact", "sys", &member("wang")),
        event("change_contact", "sys", &member("zhao")),
        event("of_tomorrow", "sys", ""),
    ] {
        taken(&serve, &push(&keys(), &message)).await;
        taken(&serve, &push(&keys(), &message)).await;
    }
    stage.settled().await;
    let rows = stage.rows("SELECT account, platform, openid, kind, state FROM inbox_event ORDER BY id").await;
    let rows: Vec<Vec<&str>> = rows.iter().map(|row| row.iter().map(|it| it.as_deref().unwrap()).collect()).collect();
    let kinds: Vec<_> = rows.iter().map(|row| row[3]).collect();
    assert_eq!(rows[0], ["crm", "wecom", "li.si@corp", "wecom.message.text", "done"]);
    assert_eq!(
        kinds[1..],
        [
            "wecom.event.subscribe",
            "wecom.event.unsubscribe",
            "wecom.event.location",
            "wecom.event.change_contact",
            "wecom.event.change_contact",
            "wecom.unknown"
        ]
    );
    assert!(rows.iter().all(|row| row[1] == "wecom" && row[4] == "done"), "{rows:?}");
    for table in ["user_mapping", "location", "erasure"] {
        assert_eq!(stage.number(&format!("SELECT COUNT(*) FROM {table}")).await, 0, "{table}");
    }
    let of = [("platform", "wecom")];
    assert_eq!(serve.metric("wxops_callback_received_total", &of).await, 7.0);
    assert_eq!(serve.metric("wxops_callback_duplicates_total", &of).await, 8.0);
    let labels = [("platform", "wecom"), ("kind", "wecom.event.change_contact")];
    assert_eq!(serve.metric("wxops_callback_received_total", &labels).await, 2.0);

    serve.push(&crate::messages::subscribe(OPENID)).await;
    let list = stage.verb(&["--json", "events", "list", "--account", "crm"]).await.expect_code(0).json();
    assert_eq!(list.len(), 7, "the Official Account's is not among them");
    assert!(list.iter().all(|row| row["platform"] == "wecom" && row["account"] == "crm"), "{list:?}");
    let id = list.last().unwrap()["id"].as_str().unwrap();
    let shown = stage.verb(&["events", "show", id]).await.expect_code(0).stdout;
    assert!(shown.contains("wecom.message.text") && shown.contains("你好"), "{shown}");
    let kind = ["--json", "events", "list", "--kind", "wecom.event.change_contact"];
    assert_eq!(stage.verb(&kind).await.expect_code(0).json().len(), 2);
    let replayed = stage.verb(&["events", "replay", id]).await.expect_code(0);
    assert!(replayed.stderr.is_empty() || !replayed.stderr.contains("rror"), "{}", replayed.stderr);
    stage.settled().await;
    assert_eq!(stage.number("SELECT COUNT(*) FROM inbox_event WHERE state = 'dead'").await, 0);
}

async fn the_json_form_is_the_same_message(mut stage: Stage) {
    beside(&mut stage);
    let serve = stage.serve().await;
    let inner = json!({ "ToUserName": keys().app_id, "FromUserName": "zhang", "CreateTime": now(), "MsgType": "text",
        "Content": "hello", "MsgId": 4_561_255_354_251_345_929_u64, "AgentID": 1_000_002 });
    let encrypt = signer::encrypt(&keys(), rand::random(), inner.to_string().as_bytes());
    let outer = json!({ "tousername": keys().app_id, "encrypt": encrypt, "agentid": "1000002" });
    let told = Push { query: query(&keys(), &encrypt), body: outer.to_string().into() };
    taken(&serve, &told).await;
    taken(&serve, &push(&keys(), &text("zhang", "hello", 4_561_255_354_251_345_929))).await;
    let rows = stage.rows("SELECT kind, openid, raw FROM inbox_event").await;
    assert_eq!(rows.len(), 1, "one MsgId is one message, in whichever form");
    assert_eq!((rows[0][0].as_deref(), rows[0][1].as_deref()), (Some("wecom.message.text"), Some("zhang")));
    assert_eq!(rows[0][2].as_deref(), Some(inner.to_string().as_str()), "kept as it came");
}

async fn what_is_no_push_of_ours_is_refused_without_a_word(mut stage: Stage) {
    beside(&mut stage);
    stage.settings = format!("replay_window = \"5m\"\n{}", stage.settings);
    let serve = stage.serve().await;
    let (ours, hello) = (keys(), text("zhang", "hello", 1));
    let other = |change: fn(&mut Keys)| {
        let mut keys = keys();
        change(&mut keys);
        keys
    };
    let honest = push(&ours, &hello);
    let stale = {
        let encrypt = signer::encrypt(&ours, rand::random(), hello.as_bytes());
        let time = (now() - 3_600).to_string();
        let signed = signature(&[&ours.token, &time, "1", &encrypt]);
        push(&ours, &hello)
            .with_body(format!("<xml><Encrypt>{encrypt}</Encrypt></xml>"))
            .set("timestamp", &time)
            .set("nonce", "1")
            .set("msg_signature", &signed)
    };
    for (push, reason) in [
        (push(&other(|keys| keys.token = "another".into()), &hello), "msg_signature"),
        (honest.clone().set("nonce", "2"), "msg_signature"),
        (push(&other(|keys| keys.aes_key = Keys::default().aes_key), &hello), "decrypt"),
        (push(&other(|keys| keys.app_id = "wwanother".into()), &hello), "appid"),
        (push(&other(|keys| keys.app_id = String::new()), &hello), "appid"),
        (push(&ours, &hello.replace("1000002", "1000003")), "foreign_account"),
        (push(&ours, &hello.replace("zhang", "zhang san")), "bad_field"),
        (push(&ours, "<xml>"), "xml"),
        // There is no clear text.
        (honest.clone().with_body(hello.clone()), "downgrade"),
        (honest.clone().with_body("{\"MsgType\":\"text\"}"), "downgrade"),
        (honest.clone().without("msg_signature"), "missing_parameter"),
        (honest.clone().doubled("nonce"), "duplicate_parameter"),
        (stale, "stale"),
    ] {
        let labels = [("platform", "wecom"), ("reason", reason)];
        let before = serve.metric("wxops_callback_refused_total", &labels).await;
        let answer = post(&serve, "/wecom/event", &push).await;
        assert_eq!((answer.status, answer.body.len()), (403, 0), "{reason}");
        let after = serve.metric("wxops_callback_refused_total", &labels).await;
        assert_eq!(after - before, 1.0, "{reason}: {}", serve.log());
    }
    assert_eq!(stage.stored().await, 0);
    until("a word to the operator", async || serve.log().contains("compare WECOM_TOKEN").then_some(())).await;
    let log = serve.log();
    assert!(!log.contains("WECHAT_") && !log.contains(&ours.token) && !log.contains("hello"), "{log}");
    taken(&serve, &honest).await;
}

async fn old_and_new_keys_work_side_by_side(mut stage: Stage) {
    let newer = Keys { token: "newToken1".into(), aes_key: Keys::default().aes_key, ..keys() };
    let Keys { token, aes_key, .. } = keys();
    stage.settings += &table("crm", &newer, 1_000_002);
    stage.settings += &format!("token_previous = \"{token}\"\naes_key_previous = \"{aes_key}\"\n");
    let serve = stage.serve().await;
    taken(&serve, &push(&newer, &text("zhang", "with the new", 1))).await;
    taken(&serve, &push(&keys(), &text("zhang", "with the old", 2))).await;
    assert_eq!(stage.stored().await, 2);
    assert_eq!(serve.metric("wxops_callback_previous_keys_total", &[("platform", "wecom")]).await, 1.0);
    until("a word", async || serve.log().contains("WECOM_TOKEN_PREVIOUS").then_some(())).await;
}

async fn hooks_are_told_of_what_they_ask_for(mut stage: Stage) {
    beside(&mut stage);
    let hook = |name: &str, events: &str| {
        let file = stage.folder().join(name).display().to_string();
        format!(
            "[[hook]]\nname = \"{name}\"\ncommand = [\"/bin/sh\", \"-c\", \"cat >> {file}\"]\nevents = [\"{events}\"]\n"
        )
    };
    let hooks = [hook("staff", "wecom.*"), hook("followers", "event.*"), hook("both", "*")].concat();
    stage.account_settings = hooks;
    let serve = stage.serve().await;
    taken(&serve, &push(&keys(), &event("subscribe", "li.si@corp", "<AgentID>1000002</AgentID>"))).await;
    serve.push(&crate::messages::subscribe(OPENID)).await;
    let read = |name: &str| fs::read_to_string(stage.folder().join(name)).unwrap_or_default();
    until("all to be told", async || {
        let told = ["staff", "followers", "both"].map(|name| read(name).lines().count());
        (told == [1, 1, 2]).then_some(())
    })
    .await;
    let told: serde_json::Value = serde_json::from_str(&read("staff")).unwrap();
    assert_eq!((&told["type"], &told["data"]["account"]), (&json!("wecom.event.subscribe"), &json!("crm")));
    assert_eq!(told["data"]["openid"], "li.si@corp");
    assert_eq!(told["data"]["message"]["Event"], "subscribe");
    assert!(read("followers").contains("\"event.subscribe\""));
    assert_eq!(stage.number("SELECT COUNT(*) FROM user_mapping").await, 1);
}

async fn an_application_alone_is_served_and_others_come_with_a_reload(mut stage: Stage) {
    let account = stage.config();
    let database = fs::read_to_string(&account).unwrap();
    let database = database.lines().filter(|line| line.contains("database_url") || line.contains("listen"));
    let head = database.map(|line| format!("{line}\n")).collect::<String>();
    let base = format!("api_base = \"http://{}\"\n", stage.sandbox());
    // A configuration of its own: no Official Account in it.
    let alone = format!("{head}{}{base}", table("crm", &keys(), 1_000_002));
    let path = stage.write("alone.toml", &alone);
    let path = path.to_str().unwrap();
    let args = ["--config", path, "serve"];
    let mut server = crate::process::Server::start(stage.folder(), &args, &stage.env, "listening on http://").await;
    let to = async |server: &crate::process::Server, path: &str, keys: &Keys| {
        let push = push(keys, &text("zhang", path, rand::random()));
        let bytes = http::request("POST", &push.target(path), &[], &push.body);
        http::once(server.address, &bytes).await.unwrap().status
    };
    assert_eq!(to(&server, "/wecom/event", &keys()).await, 200, "{}", server.log());
    assert_eq!(to(&server, "/wecom/crm/event", &keys()).await, 200);
    let shop = Keys { token: "shopToken".into(), ..keys() };
    assert_eq!(to(&server, "/wecom/shop/event", &shop).await, 404);

    let both = format!("{alone}{}{base}", table("shop", &shop, 1_000_002).replace("agent_id = 1000002\n", ""));
    stage.write("alone.toml", &both);
    server.signal("HUP");
    until("the second", async || (to(&server, "/wecom/shop/event", &shop).await == 200).then_some(())).await;
    assert_eq!(to(&server, "/wecom/crm/event", &keys()).await, 200);
    assert_eq!(to(&server, "/wecom/event", &keys()).await, 404, "with two of them the name is needed");

    // Its number may be written down later.
    stage.write("alone.toml", &format!("{alone}{}{base}", table("shop", &shop, 1_000_007)));
    server.signal("HUP");
    until("its number", async || (to(&server, "/wecom/shop/event", &shop).await == 403).then_some(())).await;
    let stands = stage.rows("SELECT appid FROM account WHERE name = 'shop'").await;
    assert_eq!(stands[0][0].as_deref(), Some("ww0123456789abcdef:1000007"));
    server.signal("TERM");
    assert_eq!(server.wait().await, Some(0));
    stage.settings.clear();
}

async fn status_doctor_and_init_know_the_application(mut stage: Stage) {
    beside(&mut stage);
    let serve = stage.serve().await;
    taken(&serve, &push(&keys(), &text("zhang", "hello", 1))).await;
    let shown = stage.verb(&["--json", "status"]).await.expect_code(0).json().remove(0);
    let callbacks = shown["callbacks"].as_array().unwrap();
    let last = |name: &str| callbacks.iter().find(|of| of["account"] == name).map(|of| &of["last_callback_at"]);
    assert!(last("crm").is_some_and(|at| at.is_string()) && last("main").is_some_and(|at| at.is_null()), "{shown}");

    // Where people reach it: doctor asks as WeCom's console does, sealed.
    stage.settings = format!("public_url = \"http://{}\"\n{}", serve.address(), stage.settings);
    let found = stage.verb(&["--json", "doctor", "--account", "crm"]).await.expect_code(0).json();
    let told = serde_json::to_string(&found).unwrap();
    assert!(told.contains("/wecom/event echoes as it should"), "{told}");
    let wrong = stage.settings.replace(&keys().token, "anotherToken");
    stage.settings = wrong;
    let found = stage.verb(&["doctor", "--account", "crm"]).await.expect_code(1);
    assert!(found.stdout.contains("refuses our own signature"), "{}", found.stdout);

    let made = stage.verb(&["init", "--dir", "new"]).await.expect_code(0);
    let url = format!("http://{}/wecom/event", serve.address());
    assert!(made.stdout.contains(&url) && made.stdout.contains("crm"), "{}", made.stdout);
}

async fn callback_check_plays_the_console_and_a_push(mut stage: Stage) {
    beside(&mut stage);
    let serve = stage.serve().await;
    let url = format!("http://{}/wecom/event", serve.address());
    let good = stage.verb(&["--json", "callback", "check", &url]).await.expect_code(0).json();
    assert_eq!(good[0]["account"], "crm", "the path says whose it is");
    let verdicts = |checked: &serde_json::Value| -> Vec<(String, String)> {
        let of = |check: &serde_json::Value, name: &str| check[name].as_str().unwrap_or_default().to_owned();
        let checks = checked["checks"].as_array().unwrap().iter();
        checks.map(|check| (of(check, "check"), of(check, "verdict"))).collect()
    };
    let talked = verdicts(&good[0]);
    for check in ["url_check", "forged_check", "push", "forged_push", "clear_push"] {
        assert!(talked.contains(&(check.into(), "ok".into())), "{check}: {good:?}");
    }
    let rows = stage.rows("SELECT account, kind, openid FROM inbox_event").await;
    let rows: Vec<Vec<_>> = rows.iter().map(|row| row.iter().map(|it| it.as_deref().unwrap()).collect()).collect();
    assert_eq!(rows, [["crm", "wecom.event.view", "wxops_callback_check_nobody"]]);

    // The program behind the URL has another key; its own counters tell which.
    stage.settings = stage.settings.replace(&keys().aes_key, &Keys::default().aes_key);
    stage.settings = format!("{}\n", stage.settings);
    let wrong = stage.verb(&["callback", "check", &url, "--account", "crm"]).await.expect_code(1);
    assert!(wrong.stdout.contains("FAILED") && wrong.stdout.contains("EncodingAESKey"), "{}", wrong.stdout);
    assert!(!wrong.stdout.contains(&keys().token) && !wrong.stderr.contains(&keys().token), "{wrong:?}");
    let plain = ["callback", "check", &url, "--account", "crm", "--mode", "plain"];
    stage.verb(&plain).await.expect_code(2);
    let main = stage.verb(&["callback", "check", &url, "--account", "main"]).await.expect_code(1);
    assert!(main.stdout.contains("FAILED"), "an Official Account's console is not understood here");
}

/// A sandbox of its own, whose application has the keys of this one.
async fn the_sandbox_pushes_as_wecom_does(mut stage: Stage) {
    let Keys { app_id, secret, token, aes_key, .. } = keys();
    let accounts = format!(
        "[wecom.crm]\ncorp_id = \"{app_id}\"\nagent_id = 1000002\nsecret = \"{secret}\"\ntoken = \"{token}\"\naes_key = \"{aes_key}\"\n"
    );
    let accounts = stage.write("wecom-accounts.toml", &accounts);
    let args = ["sandbox", "run", "--listen", "127.0.0.1:0", "--accounts-file", accounts.to_str().unwrap()];
    let sandbox = crate::process::Server::start(stage.folder(), &args, &[], "listening on http://").await;
    beside(&mut stage);
    let serve = stage.serve().await;
    let (to, at) = (format!("http://{}/wecom/event", serve.address()), format!("http://{}", sandbox.address));
    let list = stage.verb(&["--json", "sandbox", "push", "list", "--account", "crm"]).await.expect_code(0).json();
    let names: Vec<String> =
        list[0]["events"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect();
    assert!(names.len() > 15, "{names:?}");
    for name in &names {
        let push = ["--json", "sandbox", "push", name, "--to", &to, "--sandbox", &at];
        let report = stage.verb(&push).await.expect_code(0).json().remove(0);
        assert_eq!(report["acknowledged"], 1, "{name}: {report}");
    }
    let unknown = "SELECT COUNT(*) FROM inbox_event WHERE kind = 'wecom.unknown' OR kind NOT LIKE 'wecom.%'";
    assert!((1..=2).contains(&stage.number(unknown).await), "the one of tomorrow, and perhaps a mix of it");
    assert_eq!(stage.number("SELECT COUNT(*) FROM user_mapping").await, 0);

    let crowd = ["--json", "sandbox", "push", "text", "--count", "40", "--duplicates", "50%"];
    let crowd = [&crowd[..], &["--to", &to, "--sandbox", &at, "--openid", "zhang"]].concat();
    let before = stage.stored().await;
    let report = stage.verb(&crowd).await.expect_code(0).json().remove(0);
    assert!(report["duplicates"].as_u64() > Some(5), "{report}");
    assert_eq!(stage.stored().await - before, 40);
    for damage in ["msg_signature", "signature", "truncate", "appid", "key"] {
        let damaged = ["--json", "sandbox", "push", "text", "--break", damage, "--to", &to, "--sandbox", &at];
        let report = stage.verb(&damaged).await.expect_code(0).json().remove(0);
        assert_eq!(report["refused"], 1, "{damage}: {report}");
    }
    let plain = ["sandbox", "push", "text", "--mode", "plain", "--to", &to, "--sandbox", &at];
    stage.verb(&plain).await.expect_code(2);

    // Without a sandbox the configured keys sign; its API is the platform's own, so that it has to be said.
    let alone = ["sandbox", "push", "enter-agent", "--to", &to, "--sandbox", "http://127.0.0.1:1"];
    assert!(stage.verb(&alone).await.expect_code(2).stderr.contains("--yes"));
    stage.verb(&[&alone[..], &["--yes"]].concat()).await.expect_code(0);
    assert_eq!(stage.number("SELECT COUNT(*) FROM inbox_event WHERE kind = 'wecom.event.enter_agent'").await, 2);
}

async fn what_comes_while_the_database_is_away_moves_in(mut stage: Stage) {
    beside(&mut stage);
    stage.settings = format!("spool_tmpfs = true\n{}", stage.settings);
    let stall = Stall::before(&mut stage).await;
    let serve = stage.serve().await;
    stall.begin();
    for n in 0..5 {
        let message = text("li.si@corp", "while it is away", 10 + n);
        taken(&serve, &push(&keys(), &message)).await;
        taken(&serve, &push(&keys(), &message)).await;
    }
    taken(&serve, &push(&keys(), &event("subscribe", "li.si@corp", ""))).await;
    assert_eq!(serve.push(&crate::messages::text(OPENID, "beside", 1)).await.status, 200);
    assert!(serve.metric("wxops_spool_events_total", &[("result", "spooled")]).await >= 6.0);
    stall.end();
    until("all to be stored", async || (stage.stored().await == 7).then_some(())).await;
    stage.settled().await;
    assert_eq!(stage.number("SELECT COUNT(*) FROM inbox_event WHERE platform = 'wecom' AND state = 'done'").await, 6);
    assert_eq!(stage.number("SELECT COUNT(*) FROM user_mapping").await, 0);
}
