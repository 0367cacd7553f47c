//! `serve` among friends and enemies: what it answers, counts, logs, and what a look into /proc shows.

use super::canary::Canaries;
use super::hostile;
use super::scene::{APP_ID, ORIGINAL_ID, Scene};
use crate::http;
use crate::messages::{event, subscribe, text};
use crate::process::{self, Server};
use crate::signer::{self, Keys, Mode};
use crate::stage::until;
use std::fs;
use std::path::Path;

/// Two people who must not be recognised in a log.
const PEOPLE: [&str; 2] = ["oCANARY00person00number00one", "oCANARY00person00number00two"];
/// All that libraries may say, asked for by name.
const LOUD: &str = "trace,h2=trace,hyper=trace,hyper_util::client=trace,hyper_util::client::legacy::pool=trace,\
                    reqwest=trace,reqwest::connect=trace,rustls=trace,sqlx=trace,sqlx::query=trace,sqlx_core=trace,\
                    wxops=trace,[{request}]=trace,tower=trace,axum=trace";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn text_log() {
    serves(&["-vvv", "--log-format", "text"], &[], "then-40003", 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn json_log() {
    serves(&["-vvv", "--log-format", "json", "--lang", "zh"], &[], "40125", 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn journald_log() {
    serves(&["-vvv", "--log-format", "journald"], &[], "then-40001", 2).await;
}

/// A filter of the environment that names every library.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filtered_log() {
    serves(&[], &[("WXOPS_LOG".into(), LOUD.into())], "then-123456", 3).await;
}

async fn serves(args: &[&str], env: &[(String, String)], mode: &str, turn: usize) {
    let (scene, platform) = hostile::scene().await;
    let config = scene.write("wxops.toml", scene.whole(&format!("http://{}/{mode}", platform.address)));
    let args = [args, &["--config", &config, "serve"]].concat();
    let migrate = process::run(scene.folder.path(), &["--config", &config, "db", "migrate"], env, "").await;
    migrate.expect_code(0);
    let mut serve = Server::start(scene.folder.path(), &args, env, "listening on http://").await;
    let metrics = serve.address_after("metrics on http://").await;

    let mut answers = String::new();
    // The log swallows what is too much in a second: another quarter of the forged ones is first each time.
    let mut forged = forged(&scene.canaries);
    let quarter = forged.len() / 4;
    forged.rotate_left(turn * quarter);
    for request in genuine(&scene.canaries).into_iter().chain(forged) {
        let answer = http::once(serve.address, &request).await;
        answers += &answer.map_or_else(|error| error.to_string(), |a| format!("{:?} {}\n", a.headers, a.text()));
    }
    let tokens = client(&scene.canaries);
    for request in &tokens {
        let answer = http::once(serve.address, request).await.unwrap();
        assert!(matches!(answer.status, 200 | 401 | 403 | 500 | 502 | 503), "{}", answer.text());
        // Who may have a token, and only they, see it.
        if answer.status != 200 {
            answers += &format!("{:?} {}\n", answer.headers, answer.text());
        }
    }
    until("the profiles to be asked for", async || {
        let log = serve.log();
        (log.contains("user/info") || log.contains("channel paused")).then_some(())
    })
    .await;
    for target in ["/metrics", &format!("/metrics?token={}", scene.canaries.value("WECHAT_TOKEN")), "/healthz"] {
        answers += &http::get(metrics, target).await.unwrap().text();
    }
    assert!(answers.contains("wxops_callback_refused_total") && answers.contains("\"dependencies\""), "{answers}");
    scene.unseen("an answer of serve", &answers);
    look_into_proc(&scene, serve.pid());

    let log = serve.log();
    assert!(log.contains("callback refused") && log.contains("event.subscribe"), "{log}");
    scene.unseen("the log", &log);
    for person in PEOPLE {
        assert!(!log.contains(person) && log.contains(&person[person.len() - 6..]), "{person} in\n{log}");
    }
    let stored: String = ["followers", "events"].iter().map(|group| format!("{group} ")).collect();
    for group in stored.split_whitespace() {
        let listed = process::run(scene.folder.path(), &["--config", &config, "--json", group, "list"], &[], "").await;
        scene.unseen(group, &listed.expect_code(0).stdout);
    }
    let shown = ["--config", &config, "followers", "show", PEOPLE[0]];
    scene.unseen("a person", &process::run(scene.folder.path(), &shown, &[], "").await.expect_code(0).stdout);
    serve.signal("TERM");
    assert_eq!(serve.wait().await, Some(0));
    scene.unseen("the end of the log", &serve.log());
}

/// No secret in the command line; no child that inherits the environment; no core file.
fn look_into_proc(scene: &Scene, pid: u32) {
    let place = Path::new("/proc").join(pid.to_string());
    scene.unseen("/proc/PID/cmdline", &String::from_utf8_lossy(&fs::read(place.join("cmdline")).unwrap()));
    for thread in fs::read_dir(place.join("task")).unwrap() {
        let children = fs::read_to_string(thread.unwrap().path().join("children")).unwrap_or_default();
        for child in children.split_whitespace() {
            for file in ["cmdline", "environ"] {
                let text = fs::read(format!("/proc/{child}/{file}")).unwrap_or_default();
                scene.unseen(&format!("{file} of a child"), &String::from_utf8_lossy(&text));
            }
        }
    }
    super::cores::none_is_allowed(pid);
}

fn keys(canaries: &Canaries) -> Keys {
    Keys {
        app_id: APP_ID.into(),
        secret: canaries.value("WECHAT_APP_SECRET").into(),
        original_id: ORIGINAL_ID.into(),
        token: canaries.value("WECHAT_TOKEN").into(),
        aes_key: canaries.value("WECHAT_AES_KEY").into(),
    }
}

fn post(target: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    http::request("POST", target, &[headers, &[("Connection", "close")]].concat(), body)
}

fn get(target: &str, authorization: &str) -> Vec<u8> {
    http::request("GET", target, &[("Authorization", authorization), ("Connection", "close")], b"")
}

/// The URL check, a few events, health with the right token.
fn genuine(canaries: &Canaries) -> Vec<Vec<u8>> {
    let keys = keys(canaries);
    let ours = |xml: String| xml.replace("gh_0123456789ab", ORIGINAL_ID);
    let push = |xml: String| {
        let push = signer::push(&keys, Mode::Secure, &ours(xml));
        post(&push.target("/wechat/event"), &[], &push.body)
    };
    let check = signer::handshake(&keys, "1234567890").target("/wechat/event");
    let bearer = format!("Bearer {}", canaries.value("WXOPS_API_TOKEN"));
    vec![
        http::request("GET", &check, &[("Connection", "close")], b""),
        push(subscribe(PEOPLE[0])),
        push(subscribe(PEOPLE[1])),
        push(text(PEOPLE[0], "hello", 1)),
        push(event("SCAN", PEOPLE[1], "<EventKey><![CDATA[1]]></EventKey><Ticket><![CDATA[t]]></Ticket>")),
        get("/healthz?verbose", &bearer),
    ]
}

/// A client of the token service asks for its account's token, and for another's; and puts its own where it does not belong.
fn client(canaries: &Canaries) -> Vec<Vec<u8>> {
    let (token, bearer) = (&canaries.client, format!("Bearer {}", canaries.client));
    let told = |id: &str| {
        let headers = [("Authorization", bearer.as_str()), ("X-Request-Id", id), ("Connection", "close")];
        http::request("POST", "/api/token/game/refused", &headers, b"{\"sha256\":\"0123456789abcdef\"}")
    };
    vec![
        get("/api/token/game", &bearer),
        get("/api/token/main", &bearer),
        get(&format!("/api/token/{token}?token={token}"), &bearer),
        get("/api/token/game", token),
        told("1"),
        told(token),
        told(canaries.value("WECHAT_APP_SECRET")),
    ]
}

/// Whoever learnt a secret and sends it around, in every part of a request.
fn forged(canaries: &Canaries) -> Vec<Vec<u8>> {
    let mut requests = Vec::new();
    for setting in
        canaries.settings.iter().filter(|setting| setting.key.is_some() && setting.variable != "DATABASE_URL")
    {
        let (name, value) = (&setting.variable, &setting.value);
        let sent = hostile::percent(value, true);
        let good = signer::push(&keys(canaries), Mode::Secure, &subscribe(PEOPLE[0]));
        let wrong = good.clone().set("signature", value).set("nonce", value);
        let bearer = format!("Bearer {value}x");
        requests.extend([
            post(&good.target(&format!("/wechat/{sent}/event")), &[(name, value)], &good.body),
            post(&good.target(&format!("/wechat/event/{sent}")), &[], &good.body),
            post(&wrong.target("/wechat/event"), &[], value.as_bytes()),
            post(&good.clone().set("msg_signature", value).target("/wechat/event"), &[], &good.body),
            post(&format!("/wechat/event?{name}={sent}&access_token={sent}"), &[], value.as_bytes()),
            post(&good.target("/wechat/event"), &[], format!("<xml><{value}>{value}</xml>").as_bytes()),
            get(&format!("/{sent}?{sent}"), &bearer),
            get("/healthz?verbose", &bearer),
            get(&format!("/api/token/{sent}"), &bearer),
            post(&format!("/api/token/{sent}/refused"), &[("X-Request-Id", value)], value.as_bytes()),
            format!("GET /{sent} {value}\r\n{value}\r\n\r\n").into_bytes(),
        ]);
    }
    requests
}
