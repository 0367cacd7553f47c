//! `wxops doctor`: every illness is named with its mend and its exit code, in time, and no secret is shown.

use crate::faults::{Stall, fault_stories};
use crate::http;
use crate::messages::{OPENID, text};
use crate::platform::{Platform, STABLE_TOKEN};
use crate::process::{self, Outcome};
use crate::rows::Db;
use crate::signer::{Keys, signature};
use crate::stage::{Stage, until};
use crate::stories::{LIMIT, tell};
use serde_json::Value;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

fault_stories! {
    a_healthy_installation,
    what_wechat_refuses,
    what_came_in_and_lies_about,
    a_database_that_is_another,
    the_callback_url,
    everything_hangs,
}

/// The findings of a run that ends with this code: (check, state, what, next).
#[track_caller]
fn findings(outcome: Outcome, code: i32) -> Vec<(String, String, String, String)> {
    let outcome = outcome.expect_code(code);
    let report = &outcome.json()[0];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    if code != 0 {
        let last: Value = serde_json::from_str(outcome.stderr.lines().last().unwrap()).unwrap();
        assert_eq!((&last["type"], &last["code"]), (&"exit_error".into(), &code.into()), "{last}");
    }
    let found = report["checks"].as_array().unwrap().iter();
    found.map(|one| (text(&one["check"]), text(&one["state"]), text(&one["what"]), text(&one["next"]))).collect()
}

async fn doctor(stage: &Stage, code: i32) -> Vec<(String, String, String, String)> {
    findings(stage.verb(&["--json", "doctor"]).await, code)
}

/// The one finding of a check, with its state.
#[track_caller]
fn only(found: &[(String, String, String, String)], check: &str, state: &str) -> (String, String) {
    let of: Vec<_> = found.iter().filter(|(name, ..)| name == check).collect();
    assert!(of.len() == 1 && of[0].1 == state, "{check} should be {state}: {found:#?}");
    (of[0].2.clone(), of[0].3.clone())
}

/// An address on which nobody listens any more.
async fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string()
}

/// All is well: exit 0, every line ok, silence with -q, both languages, and nothing was changed or forced.
async fn a_healthy_installation(mut stage: Stage) {
    let address = free_address().await;
    stage.env.push(("WXOPS_LISTEN".into(), address.clone()));
    stage.settings = format!("public_url = \"http://{address}\"\n");
    let platform = Platform::of(&stage);
    let absent = doctor(&stage, 69).await;
    assert!(only(&absent, "serve", "warn").1.contains("wxops serve"));
    assert!(only(&absent, "callback", "fail").0.contains("can't be reached"));

    let serve = stage.serve().await;
    let found = doctor(&stage, 0).await;
    let checks: Vec<_> = found.iter().map(|(check, ..)| check.as_str()).collect();
    let disk: &[&str] = if stage.db == Db::Sqlite { &["disk"] } else { &[] };
    let wanted = [
        &["configuration", "serve", "database"],
        disk,
        &["inbox", "spool", "api", "credentials", "ip_list", "token", "callback", "clock"],
    ]
    .concat();
    assert_eq!(checks, wanted);
    assert!(found.iter().all(|(_, state, ..)| state == "ok"), "{found:#?}");
    assert_eq!(platform.asked().await.1, 0, "no token was forced");
    assert_eq!(stage.number("SELECT COUNT(*) FROM access_token").await, 0, "nothing was stored");

    stage.verb(&["token", "refresh"]).await.expect_code(0);
    assert!(only(&doctor(&stage, 0).await, "token", "ok").0.contains("generation 1 works"));
    let quiet = stage.verb(&["-q", "doctor"]).await.expect_code(0);
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
    let english = stage.verb(&["doctor"]).await.expect_code(0).stdout;
    let chinese = stage.verb(&["--lang", "zh", "doctor"]).await.expect_code(0).stdout;
    assert!(english.lines().all(|line| line.starts_with("ok    ")), "{english}");
    assert!(chinese.lines().all(|line| line.starts_with("正常  ")), "{chinese}");
    assert!(chinese.contains("数据库") && chinese.contains("IP 白名单 main"), "{chinese}");
    assert_eq!(english.lines().count(), wanted.len());
    drop(serve);
}

/// Each refusal of the platform, by its errcode: what it means, what to do, exit 77; a rival is a warning.
async fn what_wechat_refuses(mut stage: Stage) {
    let platform = Platform::of(&stage);
    for (fault, check, words, next, code) in [
        ("ip-not-listed", "ip_list", "40164", "add 127.0.0.1 to", 77),
        ("secret-frozen", "credentials", "40243", "", 77),
        ("quota", "credentials", "45009", "it can go on at", 69),
        ("html", "credentials", "HTML", "the stand-in runs", 69),
    ] {
        platform.faults(&[&format!("{fault}@{STABLE_TOKEN}=1")]).await;
        let (what, mend) = only(&doctor(&stage, code).await, check, "fail");
        assert!(what.contains(words) && mend.contains(next), "{what}; {mend}");
        let zh = stage.verb(&["--lang", "zh", "doctor"]).await.expect_code(code);
        assert!(zh.stdout.contains("失败  ") && zh.stderr.contains("项失败"), "{}{}", zh.stdout, zh.stderr);
    }
    platform.faults(&[]).await;

    let secret = std::mem::replace(&mut stage.keys.secret, "f".repeat(32));
    let (what, _) = only(&doctor(&stage, 77).await, "credentials", "fail");
    assert!(what.contains("40125") && !what.contains(&stage.keys.secret), "{what}");
    stage.keys.secret = secret;

    stage.verb(&["token", "refresh"]).await.expect_code(0);
    platform.rival().await;
    let (what, next) = only(&doctor(&stage, 0).await, "token", "warn");
    assert!(what.contains("another program replaced it") && next.contains("find that program"), "{what}; {next}");
    assert_eq!(platform.asked().await.1, 1, "the rival forced one, the doctor none");

    platform.advance(3600).await;
    let (what, next) = only(&doctor(&stage, 1).await, "clock", "fail");
    assert!(what.contains("behind the platform's") && next.contains("timedatectl"), "{what}; {next}");
    platform.advance(-3480).await;
    only(&doctor(&stage, 0).await, "clock", "warn");
    stage.settings = "replay_window = \"1m\"\n".into();
    only(&doctor(&stage, 1).await, "clock", "fail");
}

async fn what_came_in_and_lies_about(mut stage: Stage) {
    stage.settings = "api_token = \"the-admins\"\n".into();
    let address = free_address().await;
    stage.env.push(("WXOPS_LISTEN".into(), address));
    let mut serve = stage.serve().await;
    for id in 0..3 {
        assert_eq!(serve.push(&text(OPENID, "x", id)).await.status, 200);
    }
    stage.settled().await;
    stage.execute("UPDATE inbox_event SET state = 'dead'").await;
    let (what, next) = only(&doctor(&stage, 0).await, "inbox", "warn");
    assert!(what.starts_with("dead callbacks: 3;") && next.contains("wxops events replay --dead"), "{what}; {next}");

    // A refused reload is told by the server itself, though the file is well again.
    let (good, file) = (stage.settings.clone(), stage.folder().join("wxops.toml"));
    stage.settings += "tokne = \"x\"\n";
    stage.config();
    serve.hangup();
    until("the refusal", async || serve.log().contains("is refused").then_some(())).await;
    stage.settings = good;
    let (what, next) = only(&doctor(&stage, 0).await, "serve", "warn");
    assert!(what.contains("tokne") && next.contains("systemctl reload wxops"), "{what}; {next}");
    assert!(file.exists());

    assert_eq!(serve.stop().await.0, Some(0));
    let long_ago = if stage.db == Db::Sqlite { "2026-01-01T00:00:00.000Z" } else { "2026-01-01 00:00:00" };
    stage.execute(&format!("UPDATE inbox_event SET state = 'new', received_at = '{long_ago}'")).await;
    let pause =
        "INSERT INTO channel (account, api, reason, paused_until) VALUES ('main', 'user/info', 'errcode 45009', 1)";
    stage.execute(pause).await;
    let found = doctor(&stage, 1).await;
    let (what, next) = only(&found, "inbox", "fail");
    assert!(what.starts_with("callbacks waiting: 3,") && next.contains("wxops serve"), "{what}; {next}");
    assert!(only(&found, "channel", "warn").0.contains("user/info rests"));

    // Somebody else has the port.
    let other = TcpListener::bind(&stage.env[0].1).await.unwrap();
    let task = tokio::spawn(answer(other, |_| "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".into()));
    let (what, next) = only(&doctor(&stage, 78).await, "serve", "fail");
    assert!(what.contains("something else than wxops") && next.contains("ss -ltnp"), "{what}; {next}");
    task.abort();
}

/// Not there, without a schema, of another installation, of another account: the words of `serve`, exit 78, and no
/// file is made.
async fn a_database_that_is_another(mut stage: Stage) {
    let serve = stage.serve().await;
    assert_eq!(serve.push(&text(OPENID, "x", 1)).await.status, 200);
    drop(serve);
    let app_id = std::mem::replace(&mut stage.keys.app_id, "wx9999999999999999".into());
    let database = |found: &[_]| only(found, "database", "fail");
    assert!(database(&doctor(&stage, 78).await).0.contains("belongs to AppID"));
    stage.keys.app_id = app_id;
    stage.execute("UPDATE installation SET mark = 'real'").await;
    let (what, next) = database(&doctor(&stage, 78).await);
    assert!(what.contains("marked real") && next.contains("DATABASE_URL"), "{what}; {next}");
    stage.execute("DROP TABLE _sqlx_migrations").await;
    let (what, next) = database(&doctor(&stage, 78).await);
    assert!(what.contains("schema") && next.contains("wxops db migrate"), "{what}; {next}");

    let (url, code, words) = match stage.db {
        Db::Sqlite => {
            fs::set_permissions(stage.folder().join("wxops.db"), Permissions::from_mode(0o644)).unwrap();
            ("sqlite://gone.db", 78, "there is no database at gone.db")
        }
        Db::MariaDb => ("mysql://root:pa55word@127.0.0.1:1/x", 69, "127.0.0.1:1 can't be reached"),
    };
    stage.env.push(("DATABASE_URL".into(), url.into()));
    let found = doctor(&stage, code).await;
    assert!(database(&found).0.contains(words), "{found:?}");
    only(&found, "credentials", "ok");
    assert!(!stage.folder().join("gone.db").exists());
    stage.env.pop();
    if stage.db == Db::Sqlite {
        stage.verb(&["db", "migrate"]).await;
    }
}

/// A web server that answers what it is told to.
async fn answer(listener: TcpListener, reply: impl Fn(&str) -> String) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let mut head = Vec::new();
        while !head.windows(4).any(|four| four == b"\r\n\r\n") && stream.read_buf(&mut head).await.unwrap_or(0) > 0 {}
        let _ = stream.write_all(reply(&String::from_utf8_lossy(&head)).as_bytes()).await;
        let _ = stream.shutdown().await;
    }
}

/// The value of a parameter in a request's first line.
fn parameter(head: &str, name: &str) -> String {
    let query = head.split([' ', '?']).nth(2).unwrap_or_default();
    let value = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    value.unwrap_or_default().to_owned()
}

fn page(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// Each way in which an answer is spoilt before it comes back.
async fn the_callback_url(mut stage: Stage) {
    let token = stage.keys.token.clone();
    let honest = move |head: &str| {
        let [time, nonce, given] = ["timestamp", "nonce", "signature"].map(|name| parameter(head, name));
        assert_eq!(given, signature(&[&token, &time, &nonce]), "signed as the platform signs");
        assert!(head.starts_with("GET /wechat/event?"), "{head}");
        parameter(head, "echostr")
    };
    type Spoil = fn(String) -> String;
    let cases: [(Spoil, i32, &str); 6] = [
        (|echo| page(&echo), 0, "echoes as it should"),
        (|echo| page(&format!("{echo}\n")), 1, "its way: 1"),
        (|_| page("<html>welcome</html>"), 1, "something else"),
        (|_| "HTTP/1.1 301 Moved\r\nLocation: https://x\r\nContent-Length: 0\r\n\r\n".into(), 1, "redirects"),
        (|_| "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n".into(), 1, "another Token"),
        (|_| "HTTP/1.1 502 Bad\r\nContent-Length: 0\r\n\r\n".into(), 1, "HTTP 502"),
    ];
    for (spoil, code, words) in cases {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        stage.settings = format!("public_url = \"http://{}/\"\n", listener.local_addr().unwrap());
        let honest = honest.clone();
        let task = tokio::spawn(answer(listener, move |head| spoil(honest(head))));
        let found = doctor(&stage, code).await;
        let (what, mend) = only(&found, "callback", if code == 0 { "ok" } else { "fail" });
        assert!(what.contains(words) && !what.contains("signature="), "{what}");
        let next = if code == 0 { "" } else { "wxops callback check --account main" };
        assert!(mend.starts_with(next) && mend.is_empty() == next.is_empty(), "{mend}");
        task.abort();
    }
    stage.settings = "public_url = \"https://wxops.invalid\"\n".into();
    let (what, _) = only(&doctor(&stage, 69).await, "callback", "fail");
    assert!(what.contains("can't be reached"), "{what}");
}

/// The platform, the database, the server and the public URL take connections and never answer: over in 10 s, and
/// each is named.
async fn everything_hangs(mut stage: Stage) {
    let mute = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = mute.local_addr().unwrap();
    let _held = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = mute.accept().await {
            held.push(stream);
        }
    });
    let stall = Stall::before(&mut stage).await;
    stage.env.push(("WXOPS_LISTEN".into(), address.to_string()));
    stage.settings = format!("public_url = \"http://{address}\"\n");
    Platform::of(&stage).faults(&["slow=1"]).await;
    stall.begin();
    let start = Instant::now();
    let config = stage.config();
    let args = ["--json", "--config", &config, "doctor"];
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_wxops"));
    command.args(args).current_dir(stage.folder()).env_clear().kill_on_drop(true);
    command.envs(stage.env.iter().cloned());
    let output = command.output().await.unwrap();
    let took = start.elapsed();
    stall.end();
    assert!(took < Duration::from_secs(10), "it took {took:?}");
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let outcome = Outcome { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) };
    let found = findings(outcome, 69);
    for check in ["serve", "credentials", "callback"] {
        only(&found, check, "fail");
    }
    only(&found, "clock", "warn");
    // A lock on SQLite stops writers, not the doctor, who only reads.
    let state = if stage.db == Db::Sqlite { "ok" } else { "fail" };
    only(&found, "database", state);
}

async fn on_sqlite(story: &str, play: impl AsyncFnOnce(Stage)) {
    tell(Stage::new(Db::Sqlite, story), LIMIT, play).await;
}

/// What `serve` would end on with 78 is a finding here, with the same words.
#[tokio::test]
async fn a_wrong_configuration_is_a_finding() {
    on_sqlite("doctor::a_wrong_configuration_is_a_finding", async |mut stage| {
        let config = stage.config();
        let run = async |env: &[(String, String)]| {
            process::run(stage.folder(), &["--json", "--config", &config, "doctor"], env, "").await
        };
        fs::set_permissions(&config, Permissions::from_mode(0o644)).unwrap();
        let found = findings(run(&[]).await, 78);
        let (what, next) = only(&found, "configuration", "fail");
        assert!(what.contains("mode 0644") && next.contains("chmod 600"), "{what}; {next}");
        assert_eq!(found.len(), 1, "{found:?}");
        fs::set_permissions(&config, Permissions::from_mode(0o600)).unwrap();

        let stray = [("WXOPS_LISTNE".to_owned(), "x".to_owned()), ("WXOPS_SERVICE_HOST".to_owned(), "x".to_owned())];
        let found = findings(run(&stray).await, 0);
        let warned: Vec<_> = found.iter().filter(|(_, state, ..)| state == "warn").collect();
        assert!(warned.len() == 1 && warned[0].2.contains("WXOPS_LISTNE"), "{found:?}");
        assert!(warned[0].3.contains("WXOPS_LISTEN"), "{warned:?}");

        fs::set_permissions(stage.folder().join("wxops.db"), Permissions::from_mode(0o644)).unwrap();
        let found = findings(run(&[]).await, 0);
        let open: Vec<_> =
            found.iter().filter(|(check, ..)| check == "database").map(|(_, s, w, n)| (s, w, n)).collect();
        assert!(open[1].0 == "warn" && open[1].1.contains("0644") && open[1].2.contains("chmod 600"), "{open:?}");

        stage.account_settings = "[official.club]\napp_id = \"wx2\"\napp_secret = \"s\"\n".into();
        let found = findings(stage.verb(&["--json", "doctor"]).await, 78);
        let (_, state, what, _) = &found[1];
        assert!(state == "fail" && what.contains("account club") && what.contains("has no Token"), "{found:?}");
        let usage = stage.verb(&["--account", "chub", "doctor"]).await.expect_code(2);
        assert!(usage.stderr.contains("club"), "{}", usage.stderr);
    })
    .await;
}

/// Every setting, its value without a secret, and its place: flag, variable, `.env`, file, credential, secret's file.
#[tokio::test]
async fn origins_name_every_place() {
    on_sqlite("doctor::origins_name_every_place", async |stage| {
        let Keys { token, aes_key, secret, app_id, .. } = Keys::default();
        let folder = stage.folder();
        let at = |name: &str| folder.join(name).display().to_string();
        fs::create_dir(folder.join("credentials")).unwrap();
        fs::write(folder.join("credentials/WECHAT_AES_KEY"), &aes_key).unwrap();
        stage.write("secret", &secret);
        stage.write(".env", &format!("# ours\nWXOPS_LOG=debug\nWECHAT_TOKEN={token}\nDATABASE_URL='sqlite://x.db'\n"));
        let toml = "listen = \"127.0.0.1:1\"\nmetrics_listen = \"127.0.0.1:2\"\nlog = \"warn\"\n[official.shop]\n\
                    app_id = \"wx2\"\nproxy = \"http://me:pa55word@10.0.0.1:3128\"\n";
        stage.write("wxops.toml", toml);
        let env = [
            ("WXOPS_METRICS_LISTEN", "127.0.0.1:3"),
            ("WECHAT_APP_ID", app_id.as_str()),
            ("WECHAT_APP_SECRET_FILE", &at("secret")),
            ("CREDENTIALS_DIRECTORY", &at("credentials")),
            ("DB_HOST", "db"),
            ("DB_USER", "u"),
            ("DB_PASSWORD", "pa55word"),
            ("DB_NAME", "crm"),
        ];
        let env: Vec<_> = env.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        let run =
            async |args: &[&str]| process::run(folder, &[args, &["doctor", "--origins"]].concat(), &env, "").await;
        let table = run(&["--account", "shop"]).await.expect_code(0).stdout;
        for line in [
            "DATABASE_URL mysql://u:***@db:3306/crm environment DB_HOST",
            "DB_PASSWORD *** environment DB_PASSWORD",
            "WXOPS_ACCOUNT shop flag",
            "WXOPS_CONFIG ./wxops.toml default",
            "WXOPS_LISTEN 127.0.0.1:1 ./wxops.toml:1",
            "WXOPS_METRICS_LISTEN 127.0.0.1:3 environment WXOPS_METRICS_LISTEN",
            "WXOPS_LOG debug ./.env:2",
            "WXOPS_UNSUBSCRIBE_POLICY erase default",
            "official.shop.app_id wx0123456789abcdef environment WECHAT_APP_ID",
            &format!("official.shop.app_secret *** file {} (environment WECHAT_APP_SECRET_FILE)", at("secret")),
            "official.shop.token *** ./.env:3",
            &format!("official.shop.aes_key *** credential {}", at("credentials/WECHAT_AES_KEY")),
            "official.shop.mode secure default",
            "official.shop.proxy http://me:***@10.0.0.1:3128/ ./wxops.toml:6",
            "official.shop.token_previous - default",
        ] {
            let found = table.lines().any(|shown| shown.split_whitespace().collect::<Vec<_>>().join(" ") == line);
            assert!(found, "{line:?} is missing in\n{table}");
        }
        let json = run(&["--json"]).await.expect_code(0);
        let of = |name: &str| json.json().into_iter().find(|line| line["setting"] == name).unwrap();
        assert_eq!(of("WXOPS_LOG")["from"]["line"], 2);
        assert_eq!(of("WXOPS_LOG")["from"]["source"], "dotenv");
        assert_eq!(of("official.shop.token")["value"], "***");
        assert!(of("official.shop.token_previous")["value"].is_null());
        let zh = run(&["--lang", "zh"]).await.expect_code(0).stdout;
        assert!(zh.starts_with("配置项") && zh.lines().next().unwrap().contains("来源"), "{zh}");
        for shown in [&table, &json.stdout, &zh] {
            let secrets = [token.as_str(), &aes_key, &secret, "pa55word"];
            assert!(secrets.iter().all(|secret| !shown.contains(secret)), "{shown}");
            assert!(!shown.contains("CLOCK_FILE"));
        }
    })
    .await;
}

/// A stranger's web page at the callback's address is no reason to wait: one GET, answered at once.
#[tokio::test]
async fn it_asks_the_url_once() {
    on_sqlite("doctor::it_asks_the_url_once", async |mut stage| {
        let serve = stage.serve().await;
        stage.settings = format!("public_url = \"http://{}\"\n", serve.address());
        doctor(&stage, 0).await;
        let asked = serve.log().matches("URL check answered").count();
        assert_eq!(asked, 1, "{}", serve.log());
        assert_eq!(http::get(serve.address(), "/readyz").await.unwrap().status, 200);
    })
    .await;
}
