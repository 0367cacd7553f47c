//! The token service: other systems of the company read the access_token, and say when it was refused.

use crate::http::{self, Answer, request};
use crate::messages::subscribe;
use crate::platform::{Platform, STABLE_TOKEN, USER_INFO};
use crate::rows::skip;
use crate::stage::{Serve, Stage, until};
use crate::stories::stories;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

stories! {
    whoever_may_has_the_token,
    strangers_learn_nothing,
    addresses_and_proxies,
    many_at_once_make_one_call,
    a_refused_token_is_proved_before_it_is_replaced,
    many_who_were_refused_make_one_call,
    bad_requests_are_told_apart,
    what_the_platform_refuses_is_told,
    clients_come_and_go,
    a_flood_of_strangers_is_ten_lines,
    staging_reads_productions_token,
    staging_outlives_production,
    the_example_in_php,
    the_readmes_examples_with_curl,
}

/// What asks the platform whether it takes a token.
const PROOF: &str = "/cgi-bin/getcallbackip";
const CRM: &str = "the-token-of-the-crm-0123456789abcdef";
const SHOP: &str = "the-token-of-the-shop-0123456789abcdef";
const ADMIN: &str = "the-token-of-the-admin-0123456789abcdef";
const MAIN: &str = "/api/token/main";

fn sha256(text: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A `[[client]]`; `more` are further lines.
fn client(name: &str, token: &str, scope: &str, more: &str) -> String {
    let hash = sha256(token);
    format!("[[client]]\nname = \"{name}\"\ntoken_sha256 = \"{hash}\"\nscopes = [\"{scope}\"]\n{more}\n")
}

/// A server whose token the CRM may have.
async fn open(stage: &mut Stage) -> Serve {
    stage.account_settings = client("crm", CRM, "token:main", "");
    stage.settings = format!("api_token = \"{ADMIN}\"\n");
    stage.serve().await
}

async fn call(serve: &Serve, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let headers = [headers, &[("Connection", "close")]].concat();
    http::once(serve.address(), &request(method, path, &headers, body.as_bytes())).await.unwrap()
}

async fn ask(serve: &Serve, token: &str, path: &str) -> Answer {
    call(serve, "GET", path, &[("Authorization", &format!("Bearer {token}"))], "").await
}

/// Says that a token was refused.
async fn tell(serve: &Serve, token: &str, refused: &str) -> Answer {
    let body = json!({ "sha256": &sha256(refused)[..32] }).to_string();
    call(serve, "POST", "/api/token/main/refused", &[("Authorization", &format!("Bearer {token}"))], &body).await
}

fn json_of(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_else(|error| panic!("{error}: {}", answer.text()))
}

fn token_in(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text());
    json_of(answer)["access_token"].as_str().expect("a token").to_owned()
}

async fn stored(stage: &Stage) -> String {
    let shown = stage.verb(&["--json", "token", "show", "--reveal"]).await.expect_code(0).json();
    shown[0]["token"].as_str().expect("a token").to_owned()
}

async fn counted(serve: &Serve, account: &str, result: &str) -> f64 {
    serve.metric("wxops_token_requests_total", &[("account", account), ("result", result)]).await
}

async fn whoever_may_has_the_token(mut stage: Stage) {
    let serve = open(&mut stage).await;
    assert_eq!(counted(&serve, "main", "given").await, 0.0);
    let bearer = format!("Bearer {CRM}");
    let headers = [("Authorization", bearer.as_str()), ("X-Request-Id", "order-17")];
    let answer = call(&serve, "GET", MAIN, &headers, "").await;
    let (told, token) = (json_of(&answer), token_in(&answer));
    assert_eq!(token, stored(&stage).await);
    assert_eq!((&told["account"], &told["generation"]), (&json!("main"), &json!("1")));
    assert!((7000..=7200).contains(&told["expires_in"].as_i64().unwrap()), "{told}");
    assert!(chrono::DateTime::parse_from_rfc3339(told["expires_at"].as_str().unwrap()).is_ok(), "{told}");
    assert!(told.get("replaced").is_none(), "{told}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("x-request-id"), Some("order-17"));

    let lines = until("both lines of the request", async || {
        let log = serve.log();
        let lines: Vec<_> =
            log.lines().filter(|line| line.contains("request_id=order-17")).map(str::to_owned).collect();
        (lines.len() >= 2).then_some(lines)
    })
    .await;
    assert!(lines.len() == 2 && lines[0].contains("stored a new access_token"), "whoever writes it: {lines:?}");
    let line = &lines[1];
    assert!([" INFO ", "client=crm", "account=main", "status=200"].iter().all(|word| line.contains(word)), "{line}");
    let again = call(&serve, "GET", MAIN, &[("Authorization", &bearer), ("X-Request-Id", "a b")], "").await;
    let made = again.header("x-request-id").unwrap();
    assert_eq!(made.len(), 16, "{made}");
    until("the line of a request with a number of ours", async || serve.log().contains(made).then_some(())).await;

    let head = request("HEAD", MAIN, &[("Authorization", &bearer), ("Connection", "close")], b"");
    let mut connection = TcpStream::connect(serve.address()).await.unwrap();
    connection.write_all(&head).await.unwrap();
    let mut whole = String::new();
    connection.read_to_string(&mut whole).await.unwrap();
    assert!(whole.starts_with("HTTP/1.1 200 ") && whole.ends_with("\r\n\r\n"), "{whole}");
    assert_eq!(token_in(&ask(&serve, ADMIN, MAIN).await), token);
    assert!(serve.log().contains("client=admin"));
    assert_eq!(counted(&serve, "main", "given").await, 4.0);
    assert_eq!(Platform::of(&stage).asked().await, (1, 0));
    stage.verb_with(&["token", "set"], "a_token_that_a_person_brought_0123456789").await.expect_code(0);
    // Within two seconds the one from before may still be in hand.
    let by_hand = until("the token that a person brought", async || {
        let told = json_of(&ask(&serve, CRM, MAIN).await);
        (told["generation"] == "2").then_some(told)
    })
    .await;
    assert_eq!((&by_hand["expires_at"], &by_hand["expires_in"]), (&Value::Null, &json!(60)));
    for secret in [token.as_str(), CRM, ADMIN, &sha256(CRM)] {
        assert!(!serve.log().contains(secret));
    }
    let origins = stage.verb(&["doctor", "--origins"]).await.expect_code(0).stdout;
    assert!(origins.contains("client.crm.scopes") && origins.contains("token:main") && !origins.contains(&sha256(CRM)));
}

async fn strangers_learn_nothing(mut stage: Stage) {
    stage.account_settings = client("crm", CRM, "token:main", "") + &client("shop", SHOP, "token:*", "");
    let game = format!("app_id = \"wx0000000000000009\"\nsecret = \"{}\"\n", "9".repeat(32));
    stage.account_settings += &format!("[minigame.game]\n{game}api_base = \"http://{}\"\n", stage.sandbox());
    let serve = stage.serve().await;
    let bearer = format!("Bearer {CRM}");
    let cookie = format!("token={CRM}");
    for headers in [
        &[][..],
        &[("Authorization", "Bearer wrong")],
        &[("Authorization", CRM)],
        &[("Cookie", &cookie)],
        &[("Authorization", &bearer), ("Authorization", &bearer)],
    ] {
        for (method, path) in [("GET", MAIN), ("GET", "/api/token/nobody"), ("POST", "/api/token/main/refused")] {
            let answer = call(&serve, method, &format!("{path}?access_token={CRM}&token={CRM}"), headers, "").await;
            assert_eq!((answer.status, answer.header("www-authenticate")), (401, Some("Bearer")), "{headers:?}");
            assert_eq!(answer.header("content-type"), Some("application/problem+json"));
            assert_eq!(json_of(&answer)["request_id"], answer.header("x-request-id").unwrap());
        }
    }
    let blind = |answer: &Answer| {
        let mut told = json_of(answer);
        told["request_id"] = Value::Null;
        (answer.status, told)
    };
    let known = ask(&serve, CRM, "/api/token/game").await;
    assert_eq!(known.status, 403);
    for path in ["/api/token/nobody", "/api/token/game%20", "/api/token/*"] {
        assert_eq!(blind(&ask(&serve, CRM, path).await), blind(&known), "{path}");
    }
    assert_eq!(ask(&serve, SHOP, "/api/token/nobody").await.status, 404);
    assert_eq!(ask(&serve, SHOP, "/api/nothing").await.status, 404);
    assert!(json_of(&ask(&serve, SHOP, "/api/nothing").await)["request_id"].is_string());
    assert_eq!(ask(&serve, SHOP, MAIN).await.status, 200);
    assert_eq!(counted(&serve, "game", "forbidden").await, 1.0);
    assert_eq!(counted(&serve, "main", "unauthorized").await, 10.0);
    assert_eq!(counted(&serve, "unknown", "unauthorized").await, 5.0);
    assert_eq!(counted(&serve, "unknown", "bad_request").await, 1.0);
    assert!(!serve.log().contains(CRM) && !serve.log().contains(SHOP));
}

async fn addresses_and_proxies(mut stage: Stage) {
    let listed = "addresses = [\"198.51.100.0/24\", \"2001:db8::7\"]";
    stage.account_settings = client("crm", CRM, "token:main", listed);
    let forwarded = async |serve: &Serve, line: &str| {
        let bearer = format!("Bearer {CRM}");
        call(serve, "GET", MAIN, &[("Authorization", &bearer), ("X-Forwarded-For", line)], "").await.status
    };
    let serve = stage.serve().await;
    assert_eq!(ask(&serve, CRM, MAIN).await.status, 403, "127.0.0.1 is not listed");
    assert_eq!(forwarded(&serve, "198.51.100.9").await, 403, "no proxy is trusted");
    assert!(serve.log().contains("from=127.0.0.1"), "{}", serve.log());

    stage.settings = "trusted_proxies = [\"127.0.0.0/8\", \"10.0.0.1\"]\n".into();
    reload(&stage, &serve).await;
    assert_eq!(forwarded(&serve, "198.51.100.9").await, 200);
    assert_eq!(forwarded(&serve, "6.6.6.6, 198.51.100.9, 10.0.0.1").await, 200, "the rightmost that is not ours");
    assert_eq!(forwarded(&serve, "[2001:db8::7]:443").await, 200);
    assert_eq!(forwarded(&serve, "198.51.100.9, 6.6.6.6").await, 403, "whoever calls may write the left");
    assert_eq!(forwarded(&serve, "198.51.100.9, nonsense").await, 403);
    assert_eq!(ask(&serve, CRM, MAIN).await.status, 403, "the proxy itself is not listed");
}

async fn many_at_once_make_one_call(mut stage: Stage) {
    let serve = open(&mut stage).await;
    let mut all = JoinSet::new();
    for _ in 0..200 {
        let (address, bearer) = (serve.address(), format!("Bearer {CRM}"));
        all.spawn(async move {
            let headers = [("Authorization", bearer.as_str()), ("Connection", "close")];
            http::once(address, &request("GET", MAIN, &headers, b"")).await.unwrap()
        });
    }
    let tokens: std::collections::BTreeSet<_> = all.join_all().await.iter().map(token_in).collect();
    assert_eq!(tokens.len(), 1);
    assert_eq!(Platform::of(&stage).asked().await, (1, 0));
}

async fn a_refused_token_is_proved_before_it_is_replaced(mut stage: Stage) {
    let platform = Platform::of(&stage);
    let serve = open(&mut stage).await;
    let good = token_in(&ask(&serve, CRM, MAIN).await);

    let old = json_of(&tell(&serve, CRM, "a token from long ago").await);
    assert_eq!((&old["replaced"], &old["access_token"]), (&json!(true), &json!(good)));
    assert!(platform.codes(PROOF).await.is_empty(), "another one is in force: nothing is asked");

    for _ in 0..3 {
        let same = json_of(&tell(&serve, CRM, &good).await);
        assert_eq!((&same["replaced"], &same["access_token"]), (&json!(false), &json!(good)));
    }
    assert_eq!(platform.codes(PROOF).await, [0], "one call, and no refresh");
    assert_eq!(platform.asked().await, (1, 0));

    // Another program of the company forces a new one; what was proved holds for some seconds.
    let rivals = platform.rival().await;
    let told = until("the proof to be old", async || {
        let told = json_of(&tell(&serve, CRM, &good).await);
        (told["replaced"] == true).then_some(told)
    })
    .await;
    assert_eq!((&told["access_token"], &told["generation"]), (&json!(rivals), &json!("2")));
    assert_eq!(platform.codes(PROOF).await, [0, 40001]);
    assert_eq!(platform.asked().await, (2, 1), "the force was the rival's");
    assert_eq!(counted(&serve, "main", "refused_replaced").await, 2.0);
    assert!(counted(&serve, "main", "refused_same").await >= 3.0);
    let who = stage.rows("SELECT refused_who FROM token_history WHERE generation = 1").await;
    assert_eq!(who[0][0].as_deref(), Some("client crm"));
}

async fn many_who_were_refused_make_one_call(mut stage: Stage) {
    let platform = Platform::of(&stage);
    let serve = open(&mut stage).await;
    let good = token_in(&ask(&serve, CRM, MAIN).await);
    let rivals = platform.rival().await;
    let mut all = JoinSet::new();
    for number in 0..60 {
        let (address, bearer) = (serve.address(), format!("Bearer {CRM}"));
        // Not all tell as much of it.
        let body = json!({ "sha256": &sha256(&good)[..16 + number % 49] }).to_string();
        all.spawn(async move {
            let headers = [("Authorization", bearer.as_str()), ("Connection", "close")];
            http::once(address, &request("POST", "/api/token/main/refused", &headers, body.as_bytes())).await.unwrap()
        });
    }
    for answer in all.join_all().await {
        assert_eq!((token_in(&answer), &json_of(&answer)["replaced"]), (rivals.clone(), &json!(true)));
    }
    assert_eq!(platform.codes(PROOF).await, [40001]);
    assert_eq!(platform.asked().await, (2, 1), "the force was the rival's");
}

async fn bad_requests_are_told_apart(mut stage: Stage) {
    let serve = open(&mut stage).await;
    let bearer = format!("Bearer {CRM}");
    let allowed = [("Authorization", bearer.as_str())];
    let refused = "/api/token/main/refused";
    let digest = sha256("x");
    for body in [
        "",
        "{",
        "[]",
        "{\"sha256\": 1}",
        "{\"sha265\": \"0123456789abcdef\"}",
        &json!({ "sha256": &digest[..15] }).to_string(),
        &json!({ "sha256": format!("{digest}0") }).to_string(),
        &json!({ "sha256": "g".repeat(32) }).to_string(),
        "\u{ff}",
    ] {
        let answer = call(&serve, "POST", refused, &allowed, body).await;
        let told = json_of(&answer);
        assert!(answer.status == 400 && told["detail"].as_str().unwrap().contains("sha256"), "{body}: {told}");
    }
    for (method, path, allow) in [
        ("OPTIONS", MAIN, "GET, HEAD"),
        ("POST", MAIN, "GET, HEAD"),
        ("DELETE", MAIN, "GET, HEAD"),
        ("GET", refused, "POST"),
    ] {
        let answer = call(&serve, method, path, &allowed, "").await;
        assert_eq!((answer.status, answer.header("allow")), (405, Some(allow)), "{method} {path}");
    }
    let long = " ".repeat(300 * 1024);
    assert_eq!(call(&serve, "POST", refused, &allowed, &long).await.status, 413);
    assert_eq!(call(&serve, "POST", refused, &[], &long).await.status, 401, "before the body is read");
    let whole = json!({ "sha256": digest.to_uppercase() }).to_string();
    assert_eq!(call(&serve, "POST", refused, &allowed, &whole).await.status, 200);
    assert_eq!(call(&serve, "GET", "/api/token/main/", &allowed, "").await.status, 404);
    assert_eq!(counted(&serve, "main", "bad_request").await, 10.0);
    assert_eq!(Platform::of(&stage).codes(PROOF).await, [0; 0]);
}

async fn what_the_platform_refuses_is_told(mut stage: Stage) {
    let platform = Platform::of(&stage);
    let serve = open(&mut stage).await;
    for (fault, status, words) in [
        ("40125", 502, "errcode 40125"),
        ("busy", 503, "errcode -1"),
        ("html", 503, "stable_token"),
        ("http-500", 503, "500"),
    ] {
        platform.faults(&[&format!("{fault}@{STABLE_TOKEN}=1")]).await;
        let answer = ask(&serve, CRM, MAIN).await;
        let told = json_of(&answer);
        assert_eq!(answer.status, status, "{fault}: {told}");
        assert!(told["detail"].as_str().unwrap().contains(words), "{fault}: {told}");
        assert_eq!(answer.header("retry-after").is_some(), status == 503, "{fault}");
        assert!(!answer.text().contains(&stage.keys.secret));
    }
    platform.faults(&[&format!("40125@{STABLE_TOKEN}=1")]).await;
    let told = json_of(&ask(&serve, CRM, MAIN).await);
    assert_eq!(told["errcode"], 40125);
    assert!(told["rid"].is_string() && told["next"].is_string(), "{told}");
    assert_eq!(counted(&serve, "main", "failed").await, 5.0);
    let line = told["request_id"].as_str().unwrap();
    assert!(serve.log().lines().any(|it| it.contains(line) && it.contains("40125")), "{}", serve.log());
    platform.faults(&[]).await;
    assert_eq!(ask(&serve, CRM, MAIN).await.status, 200);
}

async fn reload(stage: &Stage, serve: &Serve) {
    let loaded = || serve.log().matches("configuration loaded again").count();
    let before = loaded();
    stage.config();
    serve.hangup();
    until("the new configuration", async || (loaded() > before).then_some(())).await;
}

async fn clients_come_and_go(mut stage: Stage) {
    let serve = open(&mut stage).await;
    assert_eq!(ask(&serve, SHOP, MAIN).await.status, 401);
    stage.account_settings = client("shop", SHOP, "token:main", "");
    reload(&stage, &serve).await;
    assert_eq!((ask(&serve, SHOP, MAIN).await.status, ask(&serve, CRM, MAIN).await.status), (200, 401));
    assert!(serve.log().lines().any(|line| line.contains("clients=shop")) && !serve.log().contains("only after"));
    stage.account_settings = client("shop", SHOP, "token:mian", "");
    stage.config();
    serve.hangup();
    until("the refusal", async || serve.log().contains("there is no scope").then_some(())).await;
    assert!(serve.log().contains("did you mean token:main"), "{}", serve.log());
    assert_eq!(ask(&serve, SHOP, MAIN).await.status, 200, "the one before is in force");
}

async fn a_flood_of_strangers_is_ten_lines(mut stage: Stage) {
    let serve = open(&mut stage).await;
    let start = std::time::Instant::now();
    let mut connection = http::Connection::open(serve.address()).await.unwrap();
    for _ in 0..300 {
        connection.write(&request("GET", MAIN, &[("Authorization", "Bearer wrong")], b"")).await.unwrap();
        assert_eq!(connection.answer().await.unwrap().status, 401);
    }
    let most = 10 * (2 + start.elapsed().as_secs() as usize);
    let lines = serve.log().matches("no access_token").count();
    assert!((10..=most).contains(&lines), "{lines} lines");
    assert_eq!(counted(&serve, "main", "unauthorized").await, 300.0);
}

/// A second installation, at the same platform, that reads the token of the first.
async fn staging(stage: &Stage, production: &Serve) -> Stage {
    let mut staging = Stage::new(stage.db, "staging of a story").await.expect("the database is there");
    staging.way = Some(stage.sandbox());
    staging.account_settings =
        format!("token_from = \"http://{}{MAIN}\"\ntoken_from_key = \"{CRM}\"\n", production.address());
    staging
}

/// Somebody whom the platform knows follows the account, and `serve` asks for the profile.
async fn profile(stage: &Stage, serve: &Serve, platform: &Platform, number: usize) {
    let openid = format!("oKNOWN{number:022}");
    platform.happens("subscribe", &openid).await;
    assert_eq!(serve.push(&subscribe(&openid)).await.status, 200);
    let sql = format!(
        "SELECT COUNT(*) FROM user_mapping WHERE unionid IS NOT NULL AND info_due_at IS NULL AND openid = '{openid}'"
    );
    until("the profile", async || (stage.number(&sql).await == 1).then_some(())).await;
}

async fn staging_reads_productions_token(mut stage: Stage) {
    let platform = Platform::of(&stage);
    let production = open(&mut stage).await;
    let staging = staging(&stage, &production).await;
    platform.faults(&[&format!("40125@{STABLE_TOKEN}=1")]).await;
    let refused = staging.verb(&["token", "refresh"]).await.expect_code(69);
    assert!(refused.stderr.contains("HTTP 502") && refused.stderr.contains("errcode 40125"), "{}", refused.stderr);
    platform.faults(&[]).await;
    let before = platform.asked().await.0;
    staging.verb(&["token", "refresh"]).await.expect_code(0);
    assert_eq!(stored(&staging).await, stored(&stage).await);
    assert_eq!(platform.asked().await, (before + 1, 0), "staging asked production alone");

    let serve = staging.serve().await;
    let rivals = platform.rival().await;
    profile(&staging, &serve, &platform, 0).await;
    assert_eq!(platform.codes(USER_INFO).await, [40001, 0]);
    assert_eq!(platform.asked().await, (before + 2, 1), "one call upstream, by production; the force was the rival's");
    assert_eq!(stored(&staging).await, rivals);
    assert_eq!(stored(&stage).await, rivals);
    let who = stage.rows("SELECT refused_who FROM token_history WHERE generation = 1").await;
    assert_eq!(who[0][0].as_deref(), Some("client crm"));
    assert!(!serve.log().contains(CRM) && !production.log().contains(CRM));
}

async fn staging_outlives_production(mut stage: Stage) {
    let platform = Platform::of(&stage);
    let mut production = open(&mut stage).await;
    let mut staging = staging(&stage, &production).await;
    let key = staging.account_settings.clone();
    staging.account_settings = key.replace(CRM, "not-the-token-of-anybody");
    let refused = staging.verb(&["token", "refresh"]).await.expect_code(77);
    assert!(refused.stderr.contains("token_from_key") && refused.stderr.contains("401"), "{}", refused.stderr);
    assert!(!refused.stderr.contains("not-the-token-of-anybody"));
    staging.account_settings = key.replace("token_from_key", "# ");
    let missing = staging.verb(&["token", "refresh"]).await.expect_code(78);
    assert!(missing.stderr.contains("token_from_key"), "{}", missing.stderr);

    staging.account_settings = key;
    let mut clock = crate::platform::ClockFile::of(&mut staging);
    staging.verb(&["token", "refresh"]).await.expect_code(0);
    production.stop().await;
    let serve = staging.serve().await;
    // In its last five minutes it would be read again.
    clock.advance(7000);
    profile(&staging, &serve, &platform, 0).await;
    assert!(serve.log().contains("the old one still lives"), "{}", serve.log());
    staging.verb(&["token", "clear"]).await.expect_code(0);
    let away = staging.verb(&["-v", "token", "refresh"]).await.expect_code(69);
    assert!(
        away.stderr.contains("api/token") && !away.stderr.contains(CRM) && !serve.log().contains(CRM),
        "{}",
        away.stderr
    );
}

async fn the_example_in_php(mut stage: Stage) {
    let with_curl =
        |output: std::process::Output| String::from_utf8_lossy(&output.stdout).lines().any(|it| it == "curl");
    if !Command::new("php").arg("-m").output().is_ok_and(with_curl) {
        return skip("token_service::the_example_in_php", "php with curl is not installed");
    }
    let platform = Platform::of(&stage);
    let serve = open(&mut stage).await;
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/token.php");
    let run = async || {
        let output = tokio::process::Command::new("php")
            .arg(&example)
            .env("WXOPS_TOKEN_URL", format!("http://{}{MAIN}", serve.address()))
            .env("WXOPS_TOKEN_KEY", CRM)
            .env("WECHAT_API_BASE", format!("http://{}", stage.sandbox()))
            .output()
            .await
            .unwrap();
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), said(&output.stdout), said(&output.stderr))
    };
    let (code, said, errors) = run().await;
    assert!(code == Some(0) && said.contains("ip_list"), "{code:?} {said} {errors}");
    let rivals = platform.rival().await;
    let (code, said, errors) = run().await;
    assert!(code == Some(0) && said.contains("ip_list"), "{code:?} {said} {errors}");
    assert_eq!(stored(&stage).await, rivals, "it told that the token was refused");
    assert_eq!(platform.asked().await, (2, 1), "the force was the rival's");
}

/// The lines as a person would paste them, with another host.
async fn the_readmes_examples_with_curl(mut stage: Stage) {
    if !Command::new("curl").arg("--version").output().is_ok_and(|output| output.status.success()) {
        return skip("token_service::the_readmes_examples_with_curl", "curl is not installed");
    }
    let serve = open(&mut stage).await;
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let blocks = page.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let shell = async |lines: &str, env: &[(&str, &str)]| {
        let lines = lines.replace("https://wx.example.com", &format!("http://{}", serve.address()));
        let ended = tokio::process::Command::new("sh").arg("-ec").arg(lines).envs(env.iter().copied()).output().await;
        let ended = ended.unwrap();
        assert!(ended.status.success(), "{ended:?}");
        String::from_utf8(ended.stdout).unwrap()
    };
    let of = |word: &str| blocks.clone().find(|block| block.contains(word)).unwrap_or_else(|| panic!("no {word}"));
    let hash = shell(of("openssl rand -hex 32"), &[]).await;
    assert_eq!(hash.split_whitespace().next().unwrap().len(), 64, "{hash}");
    let good = token_in(&ask(&serve, CRM, MAIN).await);
    let said = shell(of("/api/token/main/refused"), &[("TOKEN", CRM), ("ACCESS_TOKEN", &good)]).await;
    let told: Vec<Value> = serde_json::Deserializer::from_str(&said).into_iter().map(Result::unwrap).collect();
    assert_eq!((&told[0]["access_token"], &told[1]["replaced"]), (&json!(good), &json!(false)), "{said}");
    // Whoever asks for it sees what the page shows.
    let shown = page.split("```json\n").find_map(|rest| serde_json::from_str::<Value>(rest.split("```").next()?).ok());
    let keys = |value: &Value| value.as_object().map(|it| it.keys().cloned().collect::<Vec<_>>());
    assert_eq!(keys(&shown.expect("the answer")), keys(&told[1]));
}
