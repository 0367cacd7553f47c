//! message/send and recall: what is refused, who is told, what is dropped or held back without a word.

use super::{Stage, errcode, options, stage};
use crate::domain::secret::Secret;
use crate::sandbox::account::Kind;
use crate::sandbox::faults::Fault;
use crate::sandbox::{Account, Options};
use serde_json::{Value, json};
use std::time::Duration;

const SEND: &str = "/cgi-bin/message/send";
const RECALL: &str = "/cgi-bin/message/recall";
const AGENT: u32 = 1_000_002;

/// A sandbox with an app of WeCom, and its token.
struct Office {
    stage: Stage,
    token: String,
}

async fn office(options: Options) -> Office {
    let stage = stage(options).await;
    let token = token(&stage, "wecom").await;
    Office { stage, token }
}

async fn token(stage: &Stage, name: &str) -> String {
    let app = stage.sandbox.accounts().into_iter().find(|account| account.name == name).unwrap();
    let query = [("corpid", app.app_id.as_str()), ("corpsecret", app.secret.reveal())];
    let answer = stage.get("/cgi-bin/gettoken", &query).await;
    answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

impl Office {
    async fn send(&self, message: &Value) -> Value {
        self.stage.post(SEND, &[("access_token", &self.token)], message).await
    }

    /// Sends a text to these; more fields replace its own.
    async fn tell(&self, touser: &str, content: &str, more: Value) -> Value {
        self.send(&text(touser, content, more)).await
    }

    async fn state(&self) -> Value {
        self.stage.get("/sandbox/state", &[]).await["wecom"].clone()
    }

    async fn rows(&self, query: &str) -> Vec<Value> {
        let answer = self.stage.http.get(self.stage.url(&format!("/sandbox/wecom/messages{query}"))).send().await;
        let text = answer.unwrap().text().await.unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    async fn change(&self, change: Value) -> u16 {
        let answer = self.stage.http.post(self.stage.url("/sandbox/wecom")).json(&change).send().await.unwrap();
        answer.status().as_u16()
    }

    async fn faults(&self, faults: &[&str]) {
        let order = json!({ "clear": true, "set": faults });
        let answer = self.stage.http.post(self.stage.url("/sandbox/faults")).json(&order).send().await.unwrap();
        assert_eq!(answer.status(), 200);
    }
}

fn text(touser: &str, content: &str, more: Value) -> Value {
    let message = json!({ "touser": touser, "msgtype": "text", "agentid": AGENT, "text": { "content": content } });
    with(message, more)
}

fn with(mut message: Value, more: Value) -> Value {
    for (name, value) in more.as_object().unwrap() {
        message[name] = value.clone();
    }
    message
}

#[tokio::test]
async fn a_message_is_received_once_by_everyone_it_names() {
    let office = office(options()).await;
    let answer = office.tell("ZhangSan|lisi|zhangsan", "新会员", json!({ "toparty": "1|2", "totag": " 3 " })).await;
    let msgid = answer["msgid"].as_str().unwrap();
    assert_eq!(answer, json!({ "errcode": 0, "errmsg": "ok", "msgid": msgid }));
    let rows = office.rows("").await;
    let mut told: Vec<_> = rows.iter().map(|row| row["userid"].as_str().unwrap()).collect();
    told.sort_unstable();
    // Two by name, ten of the parties, five of the tag, of whom staff3 is in party 1.
    let staff = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 23, 33, 43].map(|n| format!("staff{n}"));
    let mut expected: Vec<_> = staff.iter().map(String::as_str).chain(["lisi", "zhangsan"]).collect();
    expected.sort_unstable();
    assert_eq!(told, expected);
    let row = office.rows("?userid=ZHANGSAN").await.remove(0);
    assert_eq!((&row["msgid"], &row["msgtype"], &row["content"]), (&json!(msgid), &json!("text"), &json!("新会员")));
    assert_eq!((&row["account"], &row["clock"]), (&json!("wecom"), &json!(super::NOON_MS / 1000)));
    let state = office.state().await;
    assert_eq!((&state["accepted"], &state["received"], &state["dropped"]), (&json!(1), &json!(16), &json!(0)));
    assert_eq!(state["people"]["zhangsan"], json!({ "received": 1, "dropped": 0, "suppressed": 0 }));
    assert_eq!(state["apps"]["wecom"]["person_times"], 16);
    assert_eq!(state["directory"]["parties"]["2"][0], "staff6", "who is in it can be looked up");
}

#[tokio::test]
async fn who_cannot_be_told_is_named_and_nobody_at_all_is_81013() {
    let office = office(Options { wecom_invalid: vec!["Gone".to_owned()], ..options() }).await;
    assert_eq!(office.change(json!({ "unlicensed": ["Poor"] })).await, 200);
    let answer = office.tell("GONE|zhang|王五|Poor", "x", json!({ "toparty": "2|11|two", "totag": "0|1" })).await;
    assert_eq!(errcode(&answer), 0);
    let named = ["invaliduser", "invalidparty", "invalidtag", "unlicenseduser"].map(|name| answer[name].as_str());
    assert_eq!(named, [Some("gone|王五"), Some("11|two"), Some("0"), Some("poor")]);

    let answer = office.tell("Gone", "x", json!({})).await;
    assert_eq!((errcode(&answer), &answer["invaliduser"]), (81013, &json!("gone")));
    let said = answer["errmsg"].as_str().unwrap();
    assert!(said.starts_with("user & party & tag all invalid, hint: [") && said.ends_with("query?e=81013"), "{said}");

    assert_eq!(office.change(json!({ "invalid": [], "parties": { "11": ["Gone"] } })).await, 200);
    assert_eq!(office.tell("gone", "x", json!({ "toparty": "11" })).await.get("invaliduser"), None);
    assert_eq!(office.state().await["people"]["gone"]["received"], 1);
    assert_eq!(office.change(json!({ "nobody": [] })).await, 422);
}

#[tokio::test]
async fn recipients_are_counted_before_anybody_is_told() {
    let office = office(options()).await;
    let many = |count: usize, separator: &str| vec!["1"; count].join(separator);
    for (more, code) in [
        (json!({ "touser": "" }), 82001),
        (json!({ "touser": " | " }), 82001),
        (json!({ "touser": many(1000, "|") }), 0),
        (json!({ "touser": many(1001, "|") }), 40032),
        (json!({ "touser": "", "toparty": many(100, "|") }), 0),
        (json!({ "toparty": many(101, "|") }), 82002),
        (json!({ "totag": many(101, "|") }), 82003),
        (json!({ "touser": ["zhang"] }), 40058),
        (json!({ "toparty": 1 }), 40058),
    ] {
        assert_eq!(errcode(&office.tell("zhang", "x", more.clone()).await), code, "{more}");
    }
}

#[tokio::test]
async fn the_token_says_who_speaks_and_the_agentid_must_agree() {
    let office = office(options()).await;
    for (agentid, code) in [
        (json!("1000002"), 40056),
        (json!(1_000_002.5), 40056),
        (json!(1_000_003), 301_002),
        (Value::Null, 41011),
        (json!(AGENT), 0),
    ] {
        let answer = office.tell("zhang", "x", json!({ "agentid": agentid })).await;
        assert_eq!(errcode(&answer), code, "{answer}");
    }
    let message = text("zhang", "x", json!({}));
    let official = office.stage.token().await;
    for (token, code) in [("", 41001), ("damaged", 40014), (official.as_str(), 40014)] {
        let answer = office.stage.post(SEND, &[("access_token", token)], &message).await;
        let said = answer["errmsg"].as_str().unwrap();
        assert!(errcode(&answer) == code && said.contains(", from ip: 127.0.0.1, more info at "), "{answer}");
    }
    assert_eq!(errcode(&office.stage.get(SEND, &[("access_token", &office.token)]).await), 43002);
    let post = async |body: &'static str| {
        let request = office.stage.http.post(office.stage.url(SEND)).query(&[("access_token", &office.token)]);
        errcode(&request.body(body).send().await.unwrap().json().await.unwrap())
    };
    assert_eq!((post("").await, post("{").await, post("[]").await), (40063, 40058, 40058));
    office.stage.sandbox.advance(7200);
    assert_eq!(errcode(&office.send(&message).await), 42001);
    assert_eq!(office.state().await["accepted"], 1);
}

#[tokio::test]
async fn thirty_a_minute_and_a_thousand_an_hour_reach_a_person() {
    let office = office(options()).await;
    let burst = async |count: usize| {
        for n in 0..count {
            assert_eq!(errcode(&office.tell("zhang", &format!("{n}"), json!({})).await), 0);
        }
        let zhang = office.state().await["people"]["zhang"].clone();
        (zhang["received"].as_u64().unwrap(), zhang["dropped"].as_u64().unwrap())
    };
    assert_eq!(burst(31).await, (30, 1));
    // Everybody, a party and a tag count for each who is in them; others are told.
    assert_eq!(office.change(json!({ "parties": { "1": ["zhang", "li"] }, "tags": { "1": ["Zhang"] } })).await, 200);
    for more in [json!({ "touser": "@all" }), json!({ "toparty": "1" }), json!({ "totag": "1" })] {
        assert_eq!(errcode(&office.tell("", "to all", more).await), 0);
    }
    let state = office.state().await;
    assert_eq!(state["people"]["zhang"], json!({ "received": 30, "dropped": 4, "suppressed": 0 }));
    assert_eq!(state["people"]["li"], json!({ "received": 2, "dropped": 0, "suppressed": 0 }));
    assert_eq!(state["dropped"], 4);
    assert!(office.rows("?userid=zhang").await.iter().all(|row| row["content"] != "to all"));

    // Not the clock's minute: any sixty seconds.
    office.stage.sandbox.advance(59);
    assert_eq!(burst(1).await, (30, 5));
    office.stage.sandbox.advance(1);
    assert_eq!(burst(30).await, (60, 5));
    for _ in 0..32 {
        office.stage.sandbox.advance(60);
        burst(30).await;
    }
    assert_eq!(burst(0).await, (1000, 25), "an hour has a thousand");
    office.stage.sandbox.advance(1680);
    assert_eq!(burst(1).await, (1001, 25), "the first of them are an hour old");
}

#[tokio::test]
async fn a_day_has_two_hundred_person_times_a_head() {
    let office = office(Options { wecom_heads: 1, ..options() }).await;
    let many: Vec<_> = (0..150).map(|n| format!("u{n}")).collect();
    assert_eq!(errcode(&office.tell(&many.join("|"), "x", json!({})).await), 0);
    let answer = office.tell(&many[..51].join("|"), "x", json!({})).await;
    assert_eq!(errcode(&answer), 45009);
    assert!(answer["errmsg"].as_str().unwrap().starts_with("api freq out of limit, hint: ["), "{answer}");
    assert_eq!(errcode(&office.tell(&many[..50].join("|"), "x", json!({})).await), 0);
    assert_eq!(errcode(&office.tell("zhang", "x", json!({})).await), 45009);
    let used = office.state().await["apps"]["wecom"].clone();
    assert_eq!(used, json!({ "accepted": 2, "repeats": 0, "person_times": 200, "person_times_limit": 200 }));
    assert_eq!(office.change(json!({ "heads": 2 })).await, 200);
    assert_eq!(errcode(&office.tell("zhang", "x", json!({})).await), 0);
    office.stage.sandbox.advance(12 * 3600);
    assert_eq!(office.state().await["apps"]["wecom"]["person_times"], 0, "the day ends at midnight in Beijing");
}

#[tokio::test]
async fn the_very_same_request_arrives_once_within_the_interval() {
    let office = office(Options { clock: super::Start::Frozen(super::NOON_MS), ..options() }).await;
    let check = |interval: i64| json!({ "enable_duplicate_check": 1, "duplicate_check_interval": interval });
    let first = office.tell("zhang", "x", check(600)).await;
    office.stage.sandbox.advance(599);
    let again = office.tell("zhang", "x", check(600)).await;
    assert_eq!(first, again, "who repeats himself is not told");
    office.stage.sandbox.advance(1);
    assert_ne!(office.tell("zhang", "x", check(600)).await["msgid"], first["msgid"]);
    // Another byte is another message, and so is one that does not ask for the check.
    office.tell("zhang", "x", check(601)).await;
    office.tell("zhang", "x", json!({})).await;
    office.tell("zhang", "x", json!({})).await;
    let state = office.state().await;
    assert_eq!(state["people"]["zhang"], json!({ "received": 5, "dropped": 0, "suppressed": 1 }));
    assert_eq!((&state["accepted"], &state["repeats"], &state["suppressed"]), (&json!(5), &json!(1), &json!(1)));

    // Without an interval 1800 s, and at most 14400 s.
    office.tell("li", "x", json!({ "enable_duplicate_check": 1 })).await;
    office.stage.sandbox.advance(1799);
    office.tell("li", "x", json!({ "enable_duplicate_check": 1 })).await;
    office.stage.sandbox.advance(1);
    office.tell("li", "x", json!({ "enable_duplicate_check": 1 })).await;
    assert_eq!(office.state().await["people"]["li"], json!({ "received": 2, "dropped": 0, "suppressed": 1 }));
    for (more, code) in [
        (check(14_400), 0),
        (check(14_401), 40058),
        (check(-1), 40058),
        (json!({ "enable_duplicate_check": 2 }), 40058),
        (json!({ "enable_duplicate_check": 0, "duplicate_check_interval": 99_999 }), 0),
    ] {
        assert_eq!(errcode(&office.tell("wang", "x", more.clone()).await), code, "{more}");
    }
}

#[tokio::test]
async fn what_is_too_long_is_cut_and_what_is_missing_is_refused() {
    let office = office(options()).await;
    let arrived = async |message: Value| {
        let answer = office.send(&with(json!({ "touser": "zhang", "agentid": AGENT }), message)).await;
        match errcode(&answer) {
            0 => Ok(office.rows("").await.pop().map(|row| (row["content"].clone(), row["cut"].clone())).unwrap()),
            code => Err(code),
        }
    };
    let words = |msgtype: &str, content: String| json!({ "msgtype": msgtype, msgtype: { "content": content } });
    // 683 letters are 2049 bytes: the last does not arrive, and no half of it.
    assert_eq!(arrived(words("text", "警".repeat(683))).await, Ok((json!("警".repeat(682)), json!(true))));
    assert_eq!(arrived(words("markdown", "x".repeat(2048))).await, Ok((json!("x".repeat(2048)), json!(false))));
    let card = |more: Value| {
        let card = json!({ "title": "t", "description": "d", "url": "https://example.com" });
        json!({ "msgtype": "textcard", "textcard": with(card, more) })
    };
    let long = card(json!({ "title": "题".repeat(129), "description": "述".repeat(513) }));
    let cut = format!("{}\n{}", "题".repeat(128), "述".repeat(512));
    assert_eq!(arrived(long).await, Ok((json!(cut), json!(true))));
    let notice = |more: Value| {
        let action = json!({ "type": 1, "url": "https://example.com" });
        let card = json!({ "card_type": "text_notice", "main_title": { "title": "t" }, "card_action": action });
        json!({ "msgtype": "template_card", "template_card": with(card, more) })
    };
    assert!(arrived(notice(json!({}))).await.unwrap().0.as_str().unwrap().contains("text_notice"));
    assert!(arrived(notice(json!({ "main_title": {}, "sub_title_text": "s" }))).await.is_ok());
    let articles = |count: usize| vec![json!({ "title": "t", "url": "https://example.com" }); count];
    let news = |articles: Vec<Value>| json!({ "msgtype": "news", "news": { "articles": articles } });
    assert!(arrived(news(articles(8))).await.is_ok());
    for (message, code) in [
        (json!({ "msgtype": "poem", "poem": { "content": "x" } }), 40008),
        (json!({ "msgtype": "text" }), 44004),
        (words("markdown", String::new()), 44004),
        (card(json!({ "title": "" })), 41016),
        (card(json!({ "description": null })), 41033),
        (card(json!({ "url": "" })), 41010),
        (card(json!({ "url": "example.com" })), 45034),
        (card(json!({ "url": format!("https://{}", "x".repeat(2041)) })), 40058),
        (card(json!({ "btntxt": "太长的按钮" })), 40058),
        (notice(json!({ "card_type": "poem" })), 42031),
        (notice(json!({ "main_title": {} })), 42033),
        (notice(json!({ "card_action": null })), 42045),
        (notice(json!({ "card_action": { "type": 1 } })), 42028),
        (notice(json!({ "card_action": { "type": 2 } })), 42030),
        (notice(json!({ "horizontal_content_list": vec![json!({ "keyname": "k" }); 7] })), 42035),
        (notice(json!({ "horizontal_content_list": [{}] })), 42027),
        (notice(json!({ "jump_list": vec![json!({ "title": "k" }); 4] })), 42042),
        (notice(json!({ "task_id": "a b" })), 42014),
        (news(articles(9)), 45008),
        (news(vec![json!({ "title": "t" })]), 41010),
        (json!({ "msgtype": "image", "image": {} }), 41006),
        (
            json!({ "touser": "@all", "msgtype": "miniprogram_notice", "miniprogram_notice": { "title": "t", "appid": "a" } }),
            40058,
        ),
    ] {
        assert_eq!(arrived(message.clone()).await, Err(code), "{message}");
    }
}

#[tokio::test]
async fn a_card_that_calls_back_needs_a_callback_and_a_task_id_of_its_own() {
    let office = office(options()).await;
    let card = |task_id: &str| {
        let card = json!({ "card_type": "button_interaction", "main_title": { "title": "t" }, "task_id": task_id });
        json!({ "touser": "zhang", "agentid": AGENT, "msgtype": "template_card", "template_card": card })
    };
    assert_eq!(errcode(&office.send(&card("one")).await), 43012);
    assert!(office.stage.sandbox.set_callback("wecom", "http://127.0.0.1:1/wecom/event"));
    let answer = office.send(&card("one")).await;
    assert!(errcode(&answer) == 0 && answer["response_code"].is_string(), "{answer}");
    assert_eq!(errcode(&office.send(&card("one")).await), 42014);
    assert_eq!(errcode(&office.send(&card("")).await), 42014);
    assert_eq!(office.tell("zhang", "x", json!({})).await.get("response_code"), None);
}

#[tokio::test]
async fn a_message_is_taken_back_within_a_day_by_the_app_that_sent_it() {
    let app = |name: &str, agent_id, secret: &str| {
        Account::without_pushes(name, Kind::Wecom { agent_id }, "ww1".to_owned(), Secret::new(secret))
    };
    let accounts = vec![app("wecom", AGENT, "A"), app("other", 3, "B")];
    let office = office(Options { accounts, ..options() }).await;
    let other = token(&office.stage, "other").await;
    let recall = async |token: &str, msgid: &str| {
        errcode(&office.stage.post(RECALL, &[("access_token", token)], &json!({ "msgid": msgid })).await)
    };
    let sent = office.tell("zhang|li", "x", json!({})).await;
    let msgid = sent["msgid"].as_str().unwrap();
    for (token, msgid, code) in [
        (other.as_str(), msgid, 40058),
        (&office.token, "", 40063),
        (&office.token, "unknown-1", 40058),
        (&office.token, msgid, 0),
    ] {
        assert_eq!(recall(token, msgid).await, code, "{msgid}");
    }
    assert!(office.rows("").await.iter().all(|row| row["recalled"] == true));
    assert_eq!(office.state().await["recalled"], 1);
    office.stage.sandbox.advance(24 * 3600);
    assert_eq!(recall(&token(&office.stage, "wecom").await, msgid).await, 42052);
}

#[tokio::test]
async fn each_app_has_a_pace_of_its_own() {
    let app = |name: &str, agent_id, secret: &str| {
        Account::without_pushes(name, Kind::Wecom { agent_id }, "ww1".to_owned(), Secret::new(secret))
    };
    let accounts = vec![app("wecom", AGENT, "A"), app("other", 3, "B")];
    let office = office(Options { accounts, ..options() }).await;
    for n in 0..31 {
        office.tell("zhang", &n.to_string(), json!({})).await;
    }
    let token = token(&office.stage, "other").await;
    let message = text("zhang", "x", json!({ "agentid": 3 }));
    assert_eq!(errcode(&office.stage.post(SEND, &[("access_token", &token)], &message).await), 0);
    let state = office.state().await;
    assert_eq!(state["people"]["zhang"], json!({ "received": 31, "dropped": 1, "suppressed": 0 }));
    assert_eq!((&state["apps"]["wecom"]["accepted"], &state["apps"]["other"]["accepted"]), (&json!(31), &json!(1)));
}

#[tokio::test]
async fn an_answer_that_is_lost_was_worked_for_and_one_that_never_came_was_not() {
    let office = office(options()).await;
    let lost = async |number: usize| {
        let message = text("zhang", &number.to_string(), json!({ "enable_duplicate_check": 1 })).to_string();
        let request = office.stage.http.post(office.stage.url(SEND)).query(&[("access_token", &office.token)]);
        match request.body(message).timeout(Duration::from_secs(1)).send().await {
            Ok(answer) => answer.bytes().await.map(|_| ()).map_err(|_| ()),
            Err(_) => Err(()),
        }
    };
    // (fault, how many of the messages so far were received)
    let faults = [("reset=1", 0), ("lost-answer@wecom=1", 1), ("cut@/cgi-bin/message/send=1", 2), ("slow=1", 3)];
    for (number, (fault, received)) in faults.into_iter().enumerate() {
        office.faults(&[fault]).await;
        assert!(lost(number).await.is_err(), "{fault}");
        assert_eq!(office.state().await["received"], received, "{fault}");
    }
    // A repeat of what had arrived is not received again; of what had not, it is.
    office.faults(&[]).await;
    for number in 0..4 {
        assert!(lost(number).await.is_ok());
    }
    let zhang = office.state().await["people"]["zhang"].clone();
    assert_eq!(zhang, json!({ "received": 4, "dropped": 0, "suppressed": 3 }));
}

#[tokio::test]
async fn who_goes_away_in_the_middle_may_have_been_heard() {
    let latency = Duration::from_millis(600);
    let office = office(Options { latency, ..options() }).await;
    for (patience, received) in [(100, 0), (450, 1)] {
        let request = office.stage.http.post(office.stage.url(SEND)).query(&[("access_token", &office.token)]);
        let request = request.body(text("zhang", "x", json!({})).to_string());
        let answer = request.timeout(Duration::from_millis(patience)).send().await;
        assert!(answer.is_err_and(|error| error.is_timeout()), "{patience}");
        assert_eq!(office.state().await["received"], received, "{patience}");
    }
}

#[tokio::test]
async fn faults_name_an_api_or_a_platform_and_the_ip_list_spares_gettoken() {
    let office = office(options()).await;
    let code = async || errcode(&office.tell("zhang", "x", json!({})).await);
    for (faults, expected, received) in [
        (&["busy=1"][..], -1, 0),
        (&["busy@wechat=1"], 0, 1),
        (&["busy-done@wecom=1"], -1, 2),
        (&["quota@/cgi-bin/message/send=1"], 45009, 2),
        (&["token-invalid@wecom=1"], 40014, 2),
        (&["ip-not-listed=1"], 60020, 2),
        (&["60020=1"], 60020, 2),
        (&["50003@wecom=0.5", "50003@wecom=0"], 0, 3),
    ] {
        office.faults(faults).await;
        assert_eq!(code().await, expected, "{faults:?}");
        assert_eq!(office.state().await["received"], received, "{faults:?}");
        if expected == 60020 {
            token(&office.stage, "wecom").await;
        }
    }
    office.faults(&["busy@wecom=1"]).await;
    assert_eq!(errcode(&office.stage.stable(false).await), 0, "the other platform is well");
    assert!(Fault::parse("busy@weibo=1").is_err());
}
