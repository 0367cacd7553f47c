//! `wxops sandbox run` as a person starts it: what it prints, what its flags do, what it refuses.

use crate::http;
use crate::process::{Server, run};
use serde_json::Value;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

/// A million followers take as long as ten do, give or take what a busy machine takes.
const AT_ONCE: Duration = Duration::from_secs(3);

async fn start(folder: &Path, flags: &str) -> Server {
    let args: Vec<&str> = ["sandbox", "run", "--listen", "127.0.0.1:0"].into_iter().chain(flags.split(' ')).collect();
    Server::start(folder, &args, &[], "listening on http://").await
}

async fn get(address: SocketAddr, path: &str) -> Value {
    let answer = http::get(address, path).await.expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.text());
    serde_json::from_slice(&answer.body).expect("JSON")
}

/// A token of the sandbox's own account, as somebody takes it who reads the keys off.
async fn token(address: SocketAddr) -> String {
    let keys = get(address, "/sandbox/accounts").await;
    let (id, secret) = (keys[0]["app_id"].as_str().unwrap(), keys[0]["secret"].as_str().unwrap());
    let path = format!("/cgi-bin/token?grant_type=client_credential&appid={id}&secret={secret}");
    get(address, &path).await["access_token"].as_str().expect("a token").to_owned()
}

#[tokio::test]
async fn a_million_followers_start_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let mut sandbox = start(folder.path(), "--followers 1000000").await;
    let list = format!("/cgi-bin/user/get?access_token={}", token(sandbox.address).await);
    let page = get(sandbox.address, &list).await;
    assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
    assert_eq!((&page["total"], page["data"]["openid"].as_array().map(Vec::len)), (&1_000_000.into(), Some(10_000)));
    sandbox.signal("TERM");
    assert_eq!(sandbox.wait().await, Some(0));
}

#[tokio::test]
async fn what_it_prints_is_what_it_knows() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = start(folder.path(), "--seed 7").await;
    let address = sandbox.address;
    let keys = get(address, "/sandbox/accounts").await;
    let (wecom, minigame) = (&keys[1], &keys[2]);
    let printed = sandbox.log();
    for line in [
        format!("WECHAT_APP_ID={}", keys[0]["app_id"].as_str().unwrap()),
        "[wecom.wecom]".to_owned(),
        format!("corp_id = {}", wecom["corp_id"]),
        format!("agent_id = {}", wecom["agent_id"]),
        format!("secret = {}", wecom["secret"]),
        "[minigame.minigame]".to_owned(),
        format!("app_id = {}", minigame["app_id"]),
        format!("api_base = \"http://{address}\""),
    ] {
        assert!(printed.lines().any(|printed| printed.trim() == line), "{line}\n{printed}");
    }
    let (id, secret) = (wecom["corp_id"].as_str().unwrap(), wecom["secret"].as_str().unwrap());
    let given = get(address, &format!("/cgi-bin/gettoken?corpid={id}&corpsecret={secret}")).await;
    assert_eq!((&given["errcode"], &given["expires_in"]), (&0.into(), &7200.into()), "{given}");
}

#[tokio::test]
async fn keys_of_a_file_are_not_printed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("accounts.toml");
    let text = "[wecom.office]\ncorp_id = \"ww1\"\nagent_id = 1000002\nsecret = \"TOPSECRET\"\n\n\
                [minigame.game]\napp_id = \"wx1\"\napp_secret = \"TOPSECRET\"\n";
    std::fs::write(&file, text).unwrap();
    let sandbox = start(folder.path(), &format!("--accounts-file {}", file.display())).await;
    let given = get(sandbox.address, "/cgi-bin/gettoken?corpid=ww1&corpsecret=TOPSECRET").await;
    assert_eq!(given["errcode"], 0, "{given}");
    let printed = sandbox.log();
    assert!(printed.contains("[wecom.office]") && printed.contains("[minigame.game]"), "{printed}");
    assert!(!printed.contains("TOPSECRET"), "{printed}");
}

/// An app of WeCom of this sandbox, as somebody speaks for it who reads the keys off.
struct App {
    sandbox: Server,
    send: String,
}

async fn app(folder: &Path, flags: &str) -> App {
    let sandbox = start(folder, flags).await;
    let keys = get(sandbox.address, "/sandbox/accounts").await;
    let (id, secret) = (keys[1]["corp_id"].as_str().unwrap(), keys[1]["secret"].as_str().unwrap());
    let given = get(sandbox.address, &format!("/cgi-bin/gettoken?corpid={id}&corpsecret={secret}")).await;
    let send = format!("/cgi-bin/message/send?access_token={}", given["access_token"].as_str().expect("a token"));
    App { sandbox, send }
}

impl App {
    /// Says something; `None` where no answer came.
    async fn tell(&self, touser: &str, content: &str) -> Option<Value> {
        let message = serde_json::json!({
            "touser": touser, "msgtype": "text", "agentid": 1_000_002, "text": { "content": content },
            "enable_duplicate_check": 1, "duplicate_check_interval": 14_400,
        });
        let request = http::request("POST", &self.send, &[], message.to_string().as_bytes());
        let answer = http::once(self.sandbox.address, &request).await.ok()?;
        Some(serde_json::from_slice(&answer.body).expect("JSON"))
    }

    async fn state(&self) -> Value {
        get(self.sandbox.address, "/sandbox/state").await["wecom"].clone()
    }
}

#[tokio::test]
async fn messages_reach_people_and_the_state_tells_whom() {
    let folder = tempfile::tempdir().unwrap();
    let app = app(folder.path(), "--wecom-heads 1 --wecom-invalid gone,Left").await;
    let answer = app.tell("Zhang|GONE|left", "新会员 A1").await.expect("an answer");
    assert_eq!((&answer["errcode"], &answer["invaliduser"]), (&0.into(), &"gone|left".into()), "{answer}");
    for n in 0..30 {
        assert_eq!(app.tell("zhang", &format!("新会员 B{n}")).await.expect("an answer")["errcode"], 0);
    }
    assert_eq!(app.tell("zhang", "新会员 B0").await.expect("an answer")["errcode"], 0);
    let state = app.state().await;
    let zhang = serde_json::json!({ "received": 30, "dropped": 1, "suppressed": 1 });
    assert_eq!((&state["people"]["zhang"], &state["accepted"]), (&zhang, &31.into()), "{state}");
    let many: Vec<_> = (0..170).map(|n| format!("u{n}")).collect();
    assert_eq!(app.tell(&many.join("|"), "all of you").await.expect("an answer")["errcode"], 45009);
    let page = http::get(app.sandbox.address, "/sandbox/wecom/messages?userid=zhang").await.expect("an answer");
    let rows: Vec<Value> = page.text().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!((rows.len(), &rows[0]["content"], &rows[0]["msgid"]), (30, &"新会员 A1".into(), &answer["msgid"]));
}

#[tokio::test]
async fn a_lost_answer_is_ordered_by_a_verb_and_its_repeat_is_not_received_again() {
    let folder = tempfile::tempdir().unwrap();
    let app = app(folder.path(), "--seed 3").await;
    let url = format!("http://{}", app.sandbox.address);
    let faults = async |fault: &str| {
        let args = ["sandbox", "faults", "--clear", fault, "--sandbox", &url];
        run(folder.path(), &args, &[], "").await.expect_code(0)
    };
    let told = faults("lost-answer@wecom=1").await;
    assert!(told.stdout.starts_with("lost-answer      wecom") && told.stderr.is_empty(), "{told:?}");
    assert_eq!(app.tell("zhang", "x").await, None);
    faults("lost-answer@wechat=1").await;
    assert_eq!(app.tell("zhang", "x").await.expect("an answer")["errcode"], 0);
    let state = app.state().await;
    let zhang = serde_json::json!({ "received": 1, "dropped": 0, "suppressed": 1 });
    assert_eq!(state["people"]["zhang"], zhang, "{state}");
}

#[tokio::test]
async fn limits_and_lists_are_as_the_flags_say() {
    let folder = tempfile::tempdir().unwrap();
    let flags = "--followers 300 --foreign 3 --churn 5 --list-quirk total-off --limit /cgi-bin/user/get=2/day";
    let sandbox = start(folder.path(), flags).await;
    let token = token(sandbox.address).await;
    let list = format!("/cgi-bin/user/get?access_token={token}");
    let page = get(sandbox.address, &list).await;
    assert_eq!((&page["count"], &page["total"]), (&303.into(), &426.into()), "{page}");
    let next = page["next_openid"].as_str().unwrap();
    let joined = get(sandbox.address, &format!("{list}&next_openid={next}")).await;
    assert_eq!(joined["count"], 5, "who joined unnoticed: {joined}");
    assert_eq!(get(sandbox.address, &list).await["errcode"], 45009);
}

#[tokio::test]
async fn flags_that_say_nothing_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (flags, words) in [
        ("--limit /cgi-bin/user/get=20", "cannot read the limit \"/cgi-bin/user/get=20\""),
        ("--limit /cgi-bin/none=20/day", "no API has the path \"/cgi-bin/none\""),
        ("--list-quirk sticky", "no quirk of a list is called \"sticky\""),
        ("--fault busy@weibo=1", "cannot read the fault \"busy@weibo=1\""),
        ("--wecom-heads 0", "--wecom-heads <N> can't be \"0\": it must be in 1..=1000000"),
        ("--followers 2 --foreign 3", "--foreign is more than --followers"),
    ] {
        let args: Vec<&str> =
            ["sandbox", "run", "--listen", "127.0.0.1:0"].into_iter().chain(flags.split(' ')).collect();
        let refused = run(folder.path(), &args, &[], "").await.expect_code(2);
        assert!(refused.stderr.contains(words) && refused.stdout.is_empty(), "{flags}: {}", refused.stderr);
    }
}
