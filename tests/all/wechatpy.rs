//! The other side of our crypto and of our sandbox: wechatpy, which knows nothing of us. `scripts/test` installs it.

use crate::messages::{OPENID, text, vectors};
use crate::platform::Platform;
use crate::rows::{Db, skip};
use crate::signer::Mode;
use crate::stage::Stage;
use crate::stories::{LIMIT, tell};
use crate::wecom;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// The interpreter with wechatpy.
const PYTHON: &str = "WXOPS_TEST_PYTHON";
/// How an account can be set.
const MODES: [Mode; 3] = [Mode::Plain, Mode::Compat, Mode::Secure];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sandboxs_pushes_are_opened_by_wechatpy() {
    let Some(python) = python("wechatpy::the_sandboxs_pushes_are_opened_by_wechatpy") else { return };
    tell(Stage::new(Db::Sqlite, "wechatpy"), LIMIT, async |stage| opened(&python, stage).await).await;
}

async fn opened(python: &str, stage: Stage) {
    let platform = Platform::of(&stage);
    let mut receiver = Receiver::start(python, &stage).await;
    let list = stage.verb(&["--json", "sandbox", "push", "list"]).await.expect_code(0).json();
    let names: Vec<&str> = list[0]["events"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert!(names.len() > 35, "{names:?}");
    let mut classes = BTreeSet::new();
    for mode in MODES {
        for name in names.iter().filter(|name| **name != "mix") {
            let report = platform.push(&json!({ "event": name, "mode": mode.word(), "to": receiver.url })).await;
            let heard = receiver.next().await;
            assert!(heard["error"].is_null(), "{name} {mode:?}: {heard}");
            assert_eq!(heard["mode"], mode.word(), "{name}");
            assert_eq!(
                (&heard["target"], heard["age"].as_f64().unwrap() < 100.0),
                (&stage.keys.original_id.clone().into(), true)
            );
            let field = |tag: &str| {
                heard["fields"].as_array().unwrap().iter().find(|field| field[0] == tag).map(|field| &field[1])
            };
            assert_eq!(field("FromUserName"), Some(&heard["source"]), "{name}");
            classes.insert(heard["class"].as_str().unwrap().to_owned());
            let outcome = if *name == "text" { "replied" } else { "acknowledged" };
            assert_eq!(report["pushes"][0]["outcome"], outcome, "{name} {mode:?}: {report}");
        }
        let args = ["--json", "sandbox", "push", "mix", "--mode", mode.word(), "--count", "30", "--to", &receiver.url];
        let mixed = stage.verb(&args).await.expect_code(0).json().remove(0);
        for _ in 0..30 {
            let heard = receiver.next().await;
            assert!(heard["error"].is_null() && heard["mode"] == mode.word(), "{heard}");
        }
        assert_eq!((&mixed["acknowledged"], &mixed["bad_replies"]), (&30.into(), &0.into()), "{mixed}");
    }
    for class in [
        "TextMessage",
        "ShortVideoMessage",
        "SubscribeEvent",
        "SubscribeScanEvent",
        "ScanEvent",
        "LocationEvent",
        "ViewEvent",
        "ScanCodeWaitMsgEvent",
        "PicWeChatEvent",
        "LocationSelectEvent",
        "TemplateSendJobFinishEvent",
        "MassSendJobFinishEvent",
        "KfCreateSessionEvent",
        "QualificationVerifySuccessEvent",
        "UnknownMessage",
    ] {
        assert!(classes.contains(class), "{class} is not among {classes:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wechatpys_messages_are_accepted_by_serve() {
    let Some(python) = python("wechatpy::wechatpys_messages_are_accepted_by_serve") else { return };
    tell(Stage::new(Db::Sqlite, "wechatpy"), LIMIT, async |stage| accepted(&python, stage).await).await;
}

async fn accepted(python: &str, mut stage: Stage) {
    let vectors = vectors(include_str!("../vectors/official-account-events.json"));
    let messages: Vec<&str> =
        vectors["cases"].as_array().unwrap().iter().filter_map(|case| case["xml"].as_str()).collect();
    assert_eq!(messages.len(), 58);
    let mut serve = stage.serve().await;
    let answers = send(python, &stage, serve.address(), &messages, &stage.keys.aes_key).await;
    assert!(answers.len() == 58 && answers.iter().all(|answer| answer["status"] == 200), "{answers:?}");
    for row in stage.rows("SELECT raw FROM inbox_event WHERE raw IS NOT NULL").await {
        assert!(messages.contains(&row[0].as_deref().unwrap()), "what was sealed is what is stored: {row:?}");
    }
    let stored = stage.stored().await;
    assert!(stored > 50, "{stored}");

    let other = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
    let refused = send(python, &stage, serve.address(), &messages[..1], other).await;
    assert_eq!(refused, [json!({ "status": 403, "body": "" })]);
    assert_eq!(serve.refused("decrypt").await, 1.0);
    assert_eq!(serve.stop().await.0, Some(0));

    // An account on its way from plain to secure takes them too; sealed anew, they are the same events.
    stage.mode = Mode::Compat;
    let serve = stage.serve().await;
    let again = send(python, &stage, serve.address(), &messages, &stage.keys.aes_key).await;
    assert!(again.iter().all(|answer| answer["status"] == 200), "{again:?}");
    assert_eq!(stage.stored().await, stored);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn configured_replies_are_opened_by_wechatpy() {
    let Some(python) = python("wechatpy::configured_replies_are_opened_by_wechatpy") else { return };
    tell(Stage::new(Db::Sqlite, "wechatpy"), LIMIT, async |stage| replied(&python, stage).await).await;
}

async fn replied(python: &str, mut stage: Stage) {
    stage.account_settings = "[[reply]]\nexact = \"text\"\ntext = \"一 ]]> <&> \\n二🎮\"\n\
        [[reply]]\nexact = \"image\"\nimage = \"MEDIA-1_a\"\n\
        [[reply]]\nexact = \"news\"\nnews = { title = \"题\", description = \"述\", \
        picurl = \"https://example.org/p.png\", url = \"https://example.org/?a=1&b=2\" }\n"
        .into();
    let serve = stage.serve().await;
    let messages =
        ["text", "image", "news", "none"].map(|word| text(OPENID, word, word.len() as u64 + rand::random::<u64>() / 4));
    let messages = messages.iter().map(String::as_str).collect::<Vec<_>>();
    let answers = send(python, &stage, serve.address(), &messages, &stage.keys.aes_key).await;
    for answer in &answers[..3] {
        assert_eq!(answer["reply"]["source"], stage.keys.original_id, "{answer}");
        assert_eq!(answer["reply"]["target"], OPENID, "{answer}");
        assert!((answer["reply"]["time"].as_i64().unwrap() - crate::signer::now()).abs() < 30, "{answer}");
    }
    assert_eq!(
        (&answers[0]["reply"]["type"], &answers[0]["reply"]["content"]),
        (&"text".into(), &"一 ]]> <&> \n二🎮".into())
    );
    assert_eq!((&answers[1]["reply"]["type"], &answers[1]["reply"]["content"]), (&"image".into(), &"MEDIA-1_a".into()));
    let article = json!({
        "Title": "题", "Description": "述", "PicUrl": "https://example.org/p.png", "Url": "https://example.org/?a=1&b=2"
    });
    assert_eq!((&answers[2]["reply"]["type"], &answers[2]["reply"]["content"]), (&"news".into(), &article));
    assert_eq!(answers[3], json!({ "status": 200, "body": "", "reply": null }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wechatpys_client_reads_the_sandbox() {
    let Some(python) = python("wechatpy::wechatpys_client_reads_the_sandbox") else { return };
    tell(Stage::new(Db::Sqlite, "wechatpy"), LIMIT, async |stage| read(&python, stage).await).await;
}

async fn read(python: &str, mut stage: Stage) {
    let platform = Platform::restart(&mut stage, &["--followers", "23000"]).await;
    let base = format!("http://{}", stage.sandbox());
    let mut client = script(python, "client.py", &[&base, &stage.keys.app_id, &stage.keys.secret]);
    let output = client.output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let expected = json!({
        "token": 136, "expires_in": 7200, "total": 23000, "count": 10000, "next": true, "followers": 23000, "distinct": 23000,
        "person": { "subscribe": 1, "openid": told["asked"], "nickname": "", "sex": 0, "subscribe_scene": told["person"]["subscribe_scene"] },
        "asked": told["asked"], "batch": true, "callback_ips": told["callback_ips"], "wrong_openid": 40003, "wrong_next": 40003,
        "too_many": 40032, "wrong_secret": 40125, "wrong_appid": 40013, "renewed": 0,
    });
    assert_eq!(told, expected);
    assert!(told["person"]["subscribe_scene"].as_str().unwrap().starts_with("ADD_SCENE_"));
    // The first page; then four, of which the fourth has no `data`; a wrong one; a wrong token, and again.
    assert_eq!(platform.calls("/cgi-bin/user/get").await.len(), 1 + 4 + 1 + 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wecoms_pushes_are_opened_by_wechatpy_and_wechatpys_by_serve() {
    let Some(python) = python("wechatpy::wecoms_pushes_are_opened_by_wechatpy_and_wechatpys_by_serve") else { return };
    tell(Stage::new(Db::Sqlite, "wechatpy"), LIMIT, async |stage| of_wecom(&python, stage).await).await;
}

async fn of_wecom(python: &str, mut stage: Stage) {
    let keys = wecom::keys();
    stage.settings = wecom::table("crm", &keys, 1_000_002);
    let serve = stage.serve().await;
    let url = format!("http://{}/wecom/event", serve.address());
    let args = [&*keys.token, &keys.aes_key, &keys.app_id];
    let mut child = script(python, "wecom.py", &[&args[..], &[&url]].concat()).spawn().unwrap();
    let message = format!(
        "<xml><ToUserName><![CDATA[{}]]></ToUserName><FromUserName><![CDATA[li.si@corp]]></FromUserName>\
         <CreateTime>{}</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[一 <&> 🎮]]></Content>\
         <MsgId>7000000000000000001</MsgId><AgentID>1000002</AgentID></xml>",
        keys.app_id,
        crate::signer::now()
    );
    child.stdin.take().unwrap().write_all(format!("{}\n", json!(message)).as_bytes()).await.unwrap();
    let output = child.wait_with_output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let told: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        told,
        [json!({ "status": 200, "body": "1616140317555161061" }), json!({ "status": 200, "body": "" })],
        "{}",
        serve.log()
    );
    assert_eq!(stage.rows("SELECT raw FROM inbox_event").await[0][0].as_deref(), Some(message.as_str()));

    // The other way round: what the sandbox seals with these keys.
    let mut child = script(python, "wecom.py", &args).spawn().unwrap();
    let heard = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut receiver = Receiver { _child: child, heard, url: String::new() };
    let to = format!("http://127.0.0.1:{}/wecom/event", receiver.next().await["port"]);
    // wechatpy opens an event that it has no class for, and calls it unknown.
    let heard_as = [
        ("text", "text", Some(1_000_002)),
        ("enter-agent", "event", Some(1_000_002)),
        ("change-contact", "unknown", None),
    ];
    for (name, kind, agent) in heard_as {
        let push = ["--json", "sandbox", "push", name, "--to", &to, "--sandbox", "http://127.0.0.1:1", "--yes"];
        stage.verb(&push).await.expect_code(0);
        let heard = receiver.next().await;
        assert_eq!((&heard["type"], heard["agent"].as_i64()), (&kind.into(), agent), "{name}: {heard}");
    }
}

/// The interpreter, or a skip that is counted.
fn python(story: &str) -> Option<String> {
    let python = std::env::var(PYTHON).ok().filter(|python| !python.is_empty());
    if python.is_none() {
        skip(story, &format!("{PYTHON} is not set; scripts/test installs wechatpy"));
    }
    python
}

fn script(python: &str, name: &str, args: &[&str]) -> Command {
    let mut command = Command::new(python);
    command.arg(format!("{}/tests/interop/{name}", env!("CARGO_MANIFEST_DIR"))).args(args).kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONUTF8", "1").env("NO_PROXY", "*");
    command
}

/// Sends messages with wechatpy's seal; what came back.
async fn send(python: &str, stage: &Stage, to: std::net::SocketAddr, messages: &[&str], aes_key: &str) -> Vec<Value> {
    let url = format!("http://{to}/wechat/event");
    let mut child =
        script(python, "sender.py", &[&stage.keys.token, aes_key, &stage.keys.app_id, &url]).spawn().unwrap();
    let lines: String = messages.iter().map(|message| format!("{}\n", json!(message))).collect();
    let mut stdin = child.stdin.take().unwrap();
    // Written beside the reading: neither pipe may fill up.
    let written = tokio::spawn(async move { stdin.write_all(lines.as_bytes()).await });
    let output = child.wait_with_output().await.unwrap();
    written.await.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The callback written with wechatpy.
struct Receiver {
    _child: Child,
    heard: Lines<BufReader<ChildStdout>>,
    url: String,
}

impl Receiver {
    async fn start(python: &str, stage: &Stage) -> Self {
        let keys = &stage.keys;
        let mut child = script(python, "receiver.py", &[&keys.token, &keys.aes_key, &keys.app_id]).spawn().unwrap();
        let heard = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut receiver = Receiver { _child: child, heard, url: String::new() };
        receiver.url = format!("http://127.0.0.1:{}/callback", receiver.next().await["port"]);
        receiver
    }

    async fn next(&mut self) -> Value {
        let line = tokio::time::timeout(crate::stage::PATIENCE, self.heard.next_line()).await.expect("a line in time");
        serde_json::from_str(&line.unwrap().expect("the receiver lives")).unwrap()
    }
}
