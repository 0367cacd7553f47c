//! SIGHUP on a living server: accounts come and go, keys change, a broken file changes nothing; and no genuine
//! push is refused meanwhile.

use crate::http::{self, Connection};
use crate::messages::{OPENID, subscribe, text};
use crate::platform::{Platform, STABLE_TOKEN};
use crate::rows::{Db, skip};
use crate::signer::{self, Keys, Mode};
use crate::stage::{Serve, Stage, until};
use crate::stories::{LIMIT, stories, tell};
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::net::UnixDatagram;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinSet;

stories! {
    accounts_come_and_go_under_load,
    keys_change_under_load,
    a_refused_configuration_changes_nothing,
    what_waits_for_a_restart_is_named,
    fetchers_follow_the_accounts,
}

/// Connections of one account's load.
const CONNECTIONS: usize = 4;

/// An account of a story beside the stage's own.
fn keys(number: u64) -> Keys {
    Keys {
        app_id: format!("wx{number:016}"),
        secret: format!("{number:032}"),
        original_id: format!("gh_{number:012}"),
        token: format!("theToken{number}"),
        aes_key: format!("{number:043}"),
    }
}

/// The account's table, below the stage's own.
fn section(name: &str, keys: &Keys) -> String {
    let Keys { app_id, secret, original_id, token, aes_key } = keys;
    format!(
        "[official.{name}]\napp_id = \"{app_id}\"\napp_secret = \"{secret}\"\noriginal_id = \"{original_id}\"\n\
         token = \"{token}\"\naes_key = \"{aes_key}\"\n"
    )
}

/// The same, at the stage's platform.
fn section_at(stage: &Stage, name: &str, keys: &Keys) -> String {
    format!("{}api_base = \"http://{}\"\n", section(name, keys), stage.sandbox())
}

/// Writes the stage's configuration as it is now, sends SIGHUP, and waits for these words in a further line.
async fn reloaded(stage: &Stage, serve: &Serve, words: &str) -> String {
    let count = || serve.log().matches(words).count();
    let before = count();
    stage.config();
    serve.hangup();
    until(words, async || (count() > before).then_some(())).await;
    serve.log().lines().rfind(|line| line.contains(words)).unwrap_or_default().to_owned()
}

/// Starts `serve`, or lets the one that runs load the stage's configuration as it is now.
pub async fn take_up<'a>(stage: &Stage, serve: &'a mut Option<Serve>) -> &'a Serve {
    match serve {
        Some(serve) => drop(reloaded(stage, serve, LOADED).await),
        None => *serve = Some(stage.serve().await),
    }
    serve.as_ref().expect("started above")
}

const LOADED: &str = "configuration loaded again";
const REFUSED: &str = "the new configuration is refused";

/// The platform as one account's console is set: pushes over kept connections until it is told to stop.
struct Console {
    path: String,
    keys: Mutex<Keys>,
    next: AtomicU64,
    stop: AtomicBool,
    acknowledged: Mutex<BTreeSet<u64>>,
    others: Mutex<BTreeMap<u16, u64>>,
}

impl Console {
    fn start(serve: &Serve, path: &str, keys: &Keys) -> (Arc<Console>, JoinSet<()>) {
        let console = Arc::new(Console {
            path: path.into(),
            keys: Mutex::new(keys.clone()),
            next: AtomicU64::new(1),
            stop: AtomicBool::new(false),
            acknowledged: Mutex::default(),
            others: Mutex::default(),
        });
        let mut connections = JoinSet::new();
        for _ in 0..CONNECTIONS {
            connections.spawn(console.clone().push(serve.address()));
        }
        (console, connections)
    }

    async fn push(self: Arc<Self>, address: std::net::SocketAddr) {
        let mut connection = Connection::open(address).await.unwrap();
        while !self.stop.load(SeqCst) {
            let id = self.next.fetch_add(1, SeqCst);
            let keys = self.keys.lock().unwrap().clone();
            let xml = text(OPENID, "x", id).replace(&Keys::default().original_id, &keys.original_id);
            let push = signer::push(&keys, Mode::Secure, &xml);
            let request = http::request("POST", &push.target(&self.path), &[], &push.body);
            connection.write(&request).await.unwrap();
            match connection.answer().await.unwrap().status {
                200 => _ = self.acknowledged.lock().unwrap().insert(id),
                other => *self.others.lock().unwrap().entry(other).or_default() += 1,
            }
        }
    }

    fn count(&self) -> usize {
        self.acknowledged.lock().unwrap().len()
    }

    /// Waits for so many further acknowledgements.
    async fn more(&self, count: usize) {
        let before = self.count();
        until("further acknowledgements", async || (self.count() >= before + count).then_some(())).await;
    }

    /// Ends the load; what was acknowledged, and the answers other than 200.
    async fn end(&self, mut connections: JoinSet<()>) -> (BTreeSet<u64>, BTreeMap<u16, u64>) {
        self.stop.store(true, SeqCst);
        while let Some(ended) = connections.join_next().await {
            ended.unwrap();
        }
        (self.acknowledged.lock().unwrap().clone(), self.others.lock().unwrap().clone())
    }
}

/// The MsgIds of an account's rows in this state.
async fn ids(stage: &Stage, account: &str, state: &str) -> BTreeSet<u64> {
    let sql = format!("SELECT raw FROM inbox_event WHERE account = '{account}' AND state = '{state}'");
    let rows = stage.rows(&sql).await;
    let id = |raw: String| raw.split_once("<MsgId>")?.1.split_once('<')?.0.parse().ok();
    rows.into_iter().filter_map(|mut row| id(row[0].take()?)).collect()
}

/// Two accounts under load; meanwhile a third is added and pushed to, the first one's Token changes, the second is
/// dropped. Nobody else is refused anything, and what was acknowledged is there and handled.
async fn accounts_come_and_go_under_load(mut stage: Stage) {
    let (club, shop) = (keys(1), keys(2));
    let base = "default = true\n".to_owned();
    stage.account_settings = base.clone() + &section_at(&stage, "club", &club);
    let serve = stage.serve().await;
    let (main, main_load) = Console::start(&serve, "/wechat/event", &stage.keys);
    let (second, second_load) = Console::start(&serve, "/wechat/club/event", &club);
    main.more(20).await;
    second.more(20).await;

    stage.account_settings = base.clone() + &section_at(&stage, "club", &club) + &section_at(&stage, "shop", &shop);
    let line = reloaded(&stage, &serve, LOADED).await;
    assert!(line.contains("added=shop") && !line.contains("changed=") && !line.contains("dropped="), "{line}");
    let (third, third_load) = Console::start(&serve, "/wechat/shop/event", &shop);
    third.more(20).await;

    let old = stage.keys.token.clone();
    stage.keys.token = "theNewToken9".into();
    let previous = format!("token_previous = \"{old}\"\n{base}");
    stage.account_settings = previous.clone() + &section_at(&stage, "club", &club) + &section_at(&stage, "shop", &shop);
    let line = reloaded(&stage, &serve, LOADED).await;
    assert!(line.contains("changed=\"main (token, token_previous)\""), "{line}");
    *main.keys.lock().unwrap() = stage.keys.clone();
    main.more(20).await;
    second.more(20).await;

    stage.account_settings = previous + &section_at(&stage, "shop", &shop);
    let line = reloaded(&stage, &serve, LOADED).await;
    assert!(line.contains("dropped=club") && !line.contains("added="), "{line}");
    main.more(20).await;
    third.more(20).await;
    until("the dropped account to be unknown", async || second.others.lock().unwrap().contains_key(&404).then_some(()))
        .await;

    for (name, console, load) in [("main", main, main_load), ("shop", third, third_load), ("club", second, second_load)]
    {
        let (acknowledged, others) = console.end(load).await;
        match name {
            "club" => assert_eq!(others.keys().collect::<Vec<_>>(), [&404], "{name}"),
            _ => assert!(others.is_empty(), "{name} was refused: {others:?}"),
        }
        stage.settled().await;
        assert_eq!(ids(&stage, name, "done").await, acknowledged, "{name}: acknowledged is stored and handled");
    }
    assert!(!serve.log().contains("ERROR"), "{}", serve.log());
}

/// The drill, three times: the old pair becomes the previous one, SIGHUP; the console changes at some moment; the
/// previous pair goes, SIGHUP. Pushes come in all the time.
async fn keys_change_under_load(mut stage: Stage) {
    let serve = stage.serve().await;
    let (console, load) = Console::start(&serve, "/wechat/event", &stage.keys);
    let previous = "wxops_callback_previous_keys_total";
    for turn in 1..=3 {
        let old = stage.keys.clone();
        stage.keys.token = format!("theToken{turn}");
        stage.keys.aes_key = format!("{turn:043}");
        stage.account_settings =
            format!("token_previous = \"{}\"\naes_key_previous = \"{}\"\n", old.token, old.aes_key);
        let line = reloaded(&stage, &serve, LOADED).await;
        assert!(line.contains("main (aes_key, aes_key_previous, token, token_previous)"), "{line}");
        tokio::time::sleep(Duration::from_millis(rand::random_range(0..100))).await;
        *console.keys.lock().unwrap() = stage.keys.clone();

        // As the recipe has it: the previous pair goes when nobody comes with it any more.
        until("the old pair to fall out of use", async || {
            let before = serve.metric(previous, &[]).await;
            console.more(3 * CONNECTIONS).await;
            (serve.metric(previous, &[]).await == before).then_some(())
        })
        .await;
        stage.account_settings.clear();
        reloaded(&stage, &serve, LOADED).await;
        console.more(CONNECTIONS).await;
        let stale = serve.send(&signer::push(&old, Mode::Secure, &subscribe(OPENID))).await;
        assert_eq!(stale.status, 403, "the old pair is gone");
    }
    assert!(serve.metric(previous, &[]).await > 0.0, "the old pair was in use during the change");
    let (acknowledged, others) = console.end(load).await;
    assert!(others.is_empty(), "genuine pushes were refused: {others:?}");
    stage.settled().await;
    assert_eq!(ids(&stage, "main", "done").await, acknowledged);
    println!("{} pushes", acknowledged.len());
}

/// Each refused for its reason, and the one before stays in force: log, metric and verbose health say so.
async fn a_refused_configuration_changes_nothing(mut stage: Stage) {
    stage.settings = "api_token = \"the-admins\"\n".into();
    let serve = stage.serve().await;
    let verbose = async || {
        let bytes = http::request("GET", "/healthz?verbose", &[("Authorization", "Bearer the-admins")], b"");
        let answer = http::once(serve.address(), &bytes).await.unwrap();
        serde_json::from_slice::<serde_json::Value>(&answer.body).unwrap()
    };
    let gauge = "wxops_config_last_reload_successful";
    assert_eq!((serve.metric(gauge, &[]).await, &verbose().await["status"]), (1.0, &"ok".into()));

    let good = stage.keys.clone();
    let api = format!("http://{}", stage.sandbox());
    let mut pushed = 0;
    for (settings, account, spoil, words) in [
        ("tokne = \"x\"\n", "", "", "tokne (line 5 of"),
        ("", "tokne = \"x\"\n", "", "official.main.tokne (line 14 of"),
        ("", "token_previous = \"x y\"\n", "", "has a blank in it"),
        ("", "[official.club]\napp_id = \"wx1\"\n", "", "both official.club.token and official.club.app_secret"),
        ("", "", "app_id", "belongs to AppID"),
        (
            "",
            "[official.club]\napp_id = \"wx1\"\ntoken = \"ttt\"\napp_secret_file = \"gone\"\n",
            "",
            "official.club.app_secret_file",
        ),
    ] {
        stage.settings = format!("api_token = \"the-admins\"\n{settings}");
        stage.account_settings = account.into();
        if spoil == "app_id" {
            stage.keys.app_id = "wx9999999999999999".into();
        }
        let line = reloaded(&stage, &serve, REFUSED).await;
        assert!(line.contains("ERROR") && line.contains(words), "{words} is missing in {line}");
        stage.keys = good.clone();
        let told = verbose().await;
        let why = told["dependencies"]["configuration"]["error"].as_str().unwrap();
        assert!(why.contains(words) && told["status"] == "degraded", "{told}");
        assert_eq!(serve.metric(gauge, &[]).await, 0.0);
        pushed += 1;
        assert_eq!(serve.push(&text(OPENID, "x", pushed)).await.status, 200);
    }

    // Invented people never come among real ones, by no way.
    stage.account_settings.clear();
    stage.settings = "api_token = \"the-admins\"\n".into();
    let file = stage.config();
    let real = std::fs::read_to_string(&file).unwrap().replace(&api, "https://api.weixin.qq.com");
    std::fs::write(&file, real).unwrap();
    let before = serve.log().matches(REFUSED).count();
    serve.hangup();
    until("the refusal", async || (serve.log().matches(REFUSED).count() > before).then_some(())).await;
    assert!(serve.log().lines().rfind(|line| line.contains(REFUSED)).unwrap().contains("marked sandbox"));

    reloaded(&stage, &serve, LOADED).await;
    let told = verbose().await;
    assert_eq!((serve.metric(gauge, &[]).await, &told["status"]), (1.0, &"ok".into()), "{told}");
    assert_eq!(stage.stored().await, pushed as i64);
}

/// Taken up: replay window and admin token. Named in one warning: what only a restart can change.
async fn what_waits_for_a_restart_is_named(mut stage: Stage) {
    stage.settings = "api_token = \"before\"\n".into();
    let serve = stage.serve().await;
    stage.settings =
        "api_token = \"after\"\nreplay_window = \"5m\"\npublic_url = \"https://x.example\"\nlog = \"warn,wxops=info\"\n\
         unsubscribe_policy = \"keep\"\n"
            .into();
    let line = reloaded(&stage, &serve, "only after a restart").await;
    let named = line.split_once("settings=").unwrap().1;
    assert_eq!(named, "\"WXOPS_LOG, WXOPS_UNSUBSCRIBE_POLICY\"", "{line}");
    assert!(line.contains(" WARN "), "{line}");

    let health = async |token: &str| {
        let value = format!("Bearer {token}");
        let bytes = http::request("GET", "/healthz?verbose", &[("Authorization", &value)], b"");
        http::once(serve.address(), &bytes).await.unwrap().status
    };
    assert_eq!((health("before").await, health("after").await), (401, 200));
    let stale = signer::push_at(&stage.keys, Mode::Secure, &subscribe(OPENID), signer::now() - 3600);
    assert_eq!(serve.send(&stale).await.status, 403);
    assert_eq!(serve.refused("stale").await, 1.0);

    // As before: nothing waits any more, and the window is off again.
    stage.settings = "api_token = \"before\"\n".into();
    let warned = serve.log().matches("only after a restart").count();
    reloaded(&stage, &serve, LOADED).await;
    assert_eq!(serve.send(&stale).await.status, 200);
    assert_eq!(serve.log().matches("only after a restart").count(), warned, "{}", serve.log());
}

/// An added account's people are asked for, a dropped one's are not; a mended AppSecret works at once, though the
/// wrong one had paused the account.
async fn fetchers_follow_the_accounts(mut stage: Stage) {
    let club = keys(1);
    let accounts = section("main", &stage.keys) + &section("club", &club);
    stage.write("accounts.toml", &accounts);
    let platform = Platform::restart(&mut stage, &["--followers", "3"]).await;
    let serve = stage.serve().await;
    let known = "SELECT COUNT(*) FROM user_mapping WHERE account = 'club' AND info_due_at IS NULL";

    let wrong = Keys { secret: "9".repeat(32), ..club.clone() };
    stage.account_settings = format!("default = true\n{}", section_at(&stage, "club", &wrong));
    reloaded(&stage, &serve, LOADED).await;
    let push = async |openid: &str| {
        let xml = subscribe(openid).replace(&Keys::default().original_id, &club.original_id);
        let push = signer::push(&club, Mode::Secure, &xml);
        let bytes = http::request("POST", &push.target("/wechat/club/event"), &[], &push.body);
        http::once(serve.address(), &bytes).await.unwrap().status
    };
    assert_eq!(push("oTESTclub0000000000000000001").await, 200);
    let paused = "SELECT COUNT(*) FROM channel WHERE account = 'club'";
    until("the pause of the account", async || (stage.number(paused).await == 1).then_some(())).await;

    stage.account_settings = format!("default = true\n{}", section_at(&stage, "club", &club));
    let line = reloaded(&stage, &serve, LOADED).await;
    assert!(line.contains("club (app_secret)") && !line.contains(&club.secret), "{line}");
    until("the person to be asked for", async || {
        let asked = platform.calls("/cgi-bin/user/info").await;
        asked.iter().any(|call| call["account"] == "club").then_some(())
    })
    .await;
    until("the pause to end", async || (stage.number(paused).await == 0).then_some(())).await;

    stage.account_settings.clear();
    stage.settled().await;
    reloaded(&stage, &serve, LOADED).await;
    stage.execute("UPDATE user_mapping SET info_due_at = 0 WHERE account = 'club'").await;
    let asked = platform.calls("/cgi-bin/user/info").await.len();
    assert_eq!(serve.push(&subscribe(OPENID)).await.status, 200);
    until("main's person", async || (platform.calls("/cgi-bin/user/info").await.len() > asked).then_some(())).await;
    let of_club = platform.calls("/cgi-bin/user/info").await[asked..].iter().any(|call| call["account"] == "club");
    assert!(!of_club, "a dropped account's people are not asked for");
    assert_eq!(stage.number(known).await, 0);
    assert!(!platform.calls(STABLE_TOKEN).await.is_empty());
}

/// RELOADING=1 with the monotonic time, then READY=1; also where the new configuration is refused. A hangup before
/// it is ready does not end it.
#[tokio::test]
async fn systemd_is_told_of_a_reload() {
    let story = "reload::systemd_is_told_of_a_reload";
    tell(Stage::new(Db::Sqlite, story), LIMIT, async |mut stage| {
        let path = stage.folder().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_nonblocking(true).unwrap();
        stage.env.push(("NOTIFY_SOCKET".into(), path.to_str().unwrap().into()));
        let mut serve = stage.serve().await;
        let told = || {
            let (mut all, mut buffer) = (Vec::new(), [0; 4096]);
            while let Ok(count) = socket.recv(&mut buffer) {
                all.push(String::from_utf8_lossy(&buffer[..count]).into_owned());
            }
            all
        };
        until("READY=1", async || told().iter().any(|said| said.contains("READY=1")).then_some(())).await;
        for (settings, words, status) in [
            ("", LOADED, "STATUS=listening on"),
            ("tokne = \"x\"\n", REFUSED, "STATUS=the new configuration is refused"),
            ("", LOADED, "STATUS=listening on"),
        ] {
            stage.settings = settings.into();
            reloaded(&stage, &serve, words).await;
            let mut said = Vec::new();
            until("READY=1 again", async || {
                said.extend(told());
                (said.len() >= 2).then_some(())
            })
            .await;
            let time = said[0].split_once("MONOTONIC_USEC=").unwrap().1.trim().parse::<u64>().unwrap();
            assert!(said[0].starts_with("RELOADING=1\n") && time > 0, "{said:?}");
            assert!(said[1].contains("READY=1") && said[1].contains(status), "{said:?}");
        }
        assert_eq!(serve.stop().await.0, Some(0));
    })
    .await;
}

/// Who closes the terminal of a `serve` in the foreground wants it to end: gracefully, not as a reload.
#[tokio::test]
async fn a_closed_terminal_ends_it() {
    let story = "reload::a_closed_terminal_ends_it";
    if std::process::Command::new("script").arg("--version").output().is_err() {
        return skip(story, "there is no `script`");
    }
    tell(Stage::new(Db::Sqlite, story), LIMIT, async |stage| {
        let (config, folder) = (stage.config(), stage.folder());
        // The first shell dies with its terminal, as a login shell does; the second notes how the program ended.
        let wxops = env!("CARGO_BIN_EXE_wxops");
        let line = format!("(trap '' HUP; {wxops} --config {config} serve 2>log; echo $? >code); true");
        let mut terminal = tokio::process::Command::new("script")
            .args(["-q", "-c", &line, "/dev/null"])
            .current_dir(folder)
            .env("SHELL", "/bin/sh")
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_default();
        until("serve to listen", async || read("log").contains("metrics on").then_some(())).await;
        terminal.kill().await.unwrap();
        until("the end of serve", async || (!read("code").is_empty()).then_some(())).await;
        assert_eq!(read("code"), "0\n", "{}", read("log"));
        assert!(read("log").contains("stopping: what is in flight is finished"), "{}", read("log"));
    })
    .await;
}
