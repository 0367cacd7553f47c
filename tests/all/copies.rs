//! Copies of the access_token that other programs read: each new token is there at once, whatever was lost or written
//! over is there again, and nobody who is late brings back an older one.

use crate::messages::subscribe;
use crate::platform::{ClockFile, Platform, at_once, verb_in};
use crate::process::Outcome;
use crate::redis::{Cluster, OwnRedis, cli};
use crate::stage::{Stage, until};
use crate::stories::stories;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

stories! {
    every_new_token_is_copied,
    each_layout_has_its_key,
    a_token_that_was_refused_is_replaced_in_the_copy_too,
    eight_processes_leave_one_copy,
    whoever_is_late_overwrites_nothing,
    a_redis_that_was_away_is_whole_again,
    what_another_program_writes_is_told,
    a_cluster_keeps_copies_too,
    what_can_not_be_copied_is_said_at_the_start,
}

/// WxJava's key of the stage's account.
fn key(stage: &Stage) -> String {
    format!("wx:access_token:{}", stage.keys.app_id)
}

/// A Redis of the story's own, and this layout.
async fn with_redis(stage: &mut Stage, layout: &str) -> Option<OwnRedis> {
    let redis = OwnRedis::start(stage.folder(), "copies").await?;
    set(stage, &redis.url(), layout);
    Some(redis)
}

fn set(stage: &mut Stage, url: &str, layout: &str) {
    stage.settings = format!("redis_url = \"{url}\"\n");
    stage.account_settings = format!("token_redis_layout = \"{layout}\"\n");
}

async fn show(stage: &Stage) -> Value {
    stage.verb(&["--json", "token", "show", "--reveal"]).await.expect_code(0).json().remove(0)
}

fn get(redis: &OwnRedis, key: &str) -> String {
    redis.ask(&["get", key]).trim_end().to_owned()
}

/// For how much longer Redis keeps it, milliseconds.
fn left(redis: &OwnRedis, key: &str) -> i64 {
    redis.ask(&["pttl", key]).trim().parse().unwrap()
}

/// The keys beside copies: what stands in each.
fn beside(redis: &OwnRedis) -> Vec<String> {
    let keys = redis.ask(&["--scan", "--pattern", "wxops:*:main:token"]);
    keys.lines().map(|key| get(redis, key)).collect()
}

async fn refresh(stage: &Stage) -> Outcome {
    stage.verb(&["token", "refresh"]).await.expect_code(0)
}

async fn every_new_token_is_copied(mut stage: Stage) {
    let Some(redis) = with_redis(&mut stage, "wxjava").await else { return };
    let key = key(&stage);
    stage.verb(&["token", "refresh", "--dry-run"]).await.expect_code(0);
    assert_eq!(redis.ask(&["dbsize"]).trim(), "0", "a dry run writes nothing");

    refresh(&stage).await;
    let shown = show(&stage).await;
    assert_eq!(get(&redis, &key), shown["token"].as_str().unwrap());
    assert!((7_000_000..=7_200_000).contains(&left(&redis, &key)), "it ends with its token");
    assert_eq!((&shown["copy"]["state"], &shown["copy"]["key"]), (&"agrees".into(), &key.as_str().into()), "{shown}");
    let text = stage.verb(&["token", "show"]).await.expect_code(0).stdout;
    assert!(text.contains(&format!("copy        agrees (wxjava: {key})")), "{text}");

    // One of unknown end does not stay for ever.
    stage.verb_with(&["token", "set"], "BY-HAND\n").await.expect_code(0);
    assert_eq!((get(&redis, &key).as_str(), beside(&redis)), ("BY-HAND", vec!["2".to_owned()]));
    assert!((1..=7_200_000).contains(&left(&redis, &key)));

    stage.verb(&["token", "clear"]).await.expect_code(0);
    assert_eq!((redis.ask(&["exists", &key]).trim(), beside(&redis)), ("0", vec!["3".to_owned()]));
    assert_eq!(show(&stage).await["copy"]["state"], "none");
    refresh(&stage).await;
    assert_eq!(get(&redis, &key), show(&stage).await["token"].as_str().unwrap());
}

/// A layout that is changed is written by the next run, without a new token.
async fn each_layout_has_its_key(mut stage: Stage) {
    let Some(redis) = with_redis(&mut stage, "plain:crm:token").await else { return };
    refresh(&stage).await;
    let token = show(&stage).await["token"].as_str().unwrap().to_owned();
    let (id, secret) = (stage.keys.app_id.clone(), stage.keys.secret.clone());
    for (layout, api, key, value) in [
        ("plain:crm:token", "stable_token", "crm:token".to_owned(), token.clone()),
        ("wxjava:wx:mp:multi", "stable_token", format!("wx:mp:multi:access_token:{id}"), token.clone()),
        ("silenceper", "stable_token", format!("gowechat_officialaccount__stable_access_token_{id}"), token.clone()),
        ("silenceper", "token", format!("gowechat_officialaccount__access_token_{id}"), token.clone()),
        (
            "easywechat6",
            "stable_token",
            format!("easywechat:official_account.access_token.{id}.{secret}.1"),
            format!("s:{}:\"{token}\";", token.len()),
        ),
    ] {
        set(&mut stage, &redis.url(), layout);
        stage.account_settings += &format!("token_api = \"{api}\"\n");
        let said = refresh(&stage).await;
        assert_eq!(get(&redis, &key), value, "{layout} {api}");
        let shown = stage.verb(&["token", "show"]).await.expect_code(0);
        assert!(shown.stdout.contains("agrees") && !shown.stdout.contains(&secret), "{}", shown.stdout);
        assert!(!said.stderr.contains(&secret) && !said.stderr.contains(&token), "{}", said.stderr);
    }
    set(&mut stage, &redis.url(), "senparc");
    refresh(&stage).await;
    let key = format!("Senparc:DefaultCache:Container:Senparc.Weixin.MP.Containers.AccessTokenBag:{id}");
    let bag: Value = serde_json::from_str(&get(&redis, &key)).unwrap();
    assert_eq!((&bag["AppSecret"], &bag["AccessTokenResult"]["access_token"]), (&secret.into(), &token.into()));
    assert_eq!((left(&redis, &key), show(&stage).await["copy"]["state"].as_str()), (-1, Some("agrees")));
    assert_eq!(Platform::of(&stage).asked().await, (1, 0), "one token all the time");
}

async fn a_token_that_was_refused_is_replaced_in_the_copy_too(mut stage: Stage) {
    let Some(redis) = with_redis(&mut stage, "wxjava").await else { return };
    let platform = Platform::of(&stage);
    let serve = stage.serve().await;
    refresh(&stage).await;
    let rivals = platform.rival().await;
    let openid = "oREFUSED0000000000000000001";
    platform.happens("subscribe", openid).await;
    assert_eq!(serve.push(&subscribe(openid)).await.status, 200);
    let key = key(&stage);
    until("the copy", async || (get(&redis, &key) == rivals).then_some(())).await;
}

async fn eight_processes_leave_one_copy(mut stage: Stage) {
    let Some(redis) = with_redis(&mut stage, "wxjava").await else { return };
    let (platform, mut clock) = (Platform::of(&stage), ClockFile::of(&mut stage));
    refresh(&stage).await;
    platform.advance(7260).await;
    clock.advance(7260);
    for outcome in at_once(&stage, 8, &["token", "refresh"]).await {
        outcome.expect_code(0);
    }
    assert_eq!(platform.asked().await, (2, 0));
    assert_eq!(get(&redis, &key(&stage)), show(&stage).await["token"].as_str().unwrap());
    assert_eq!(beside(&redis), ["2"]);
}

/// One process is held up with the first token on its way to Redis while another brings the second.
async fn whoever_is_late_overwrites_nothing(mut stage: Stage) {
    let Some(redis) = with_redis(&mut stage, "wxjava").await else { return };
    let (hold, held) = (watch::channel(true), watch::channel(false));
    let way = hold_writes(redis.url(), hold.1, held.0).await;
    let direct = stage.settings.clone();
    set(&mut stage, &format!("redis://{way}"), "wxjava");
    let late = async {
        stage.verb(&["token", "refresh"]).await.expect_code(0);
    };
    let mut seen = held.1;
    let newer = async {
        seen.wait_for(|held| *held).await.unwrap();
        let change = |text: &str| text.replace(&format!("redis_url = \"redis://{way}\"\n"), &direct);
        verb_in(&stage, change, &["token", "set"], "THE-NEWER\n").await.expect_code(0);
        assert_eq!(get(&redis, &key(&stage)), "THE-NEWER");
        hold.0.send(false).unwrap();
    };
    tokio::join!(late, newer);
    assert_eq!((get(&redis, &key(&stage)).as_str(), beside(&redis)), ("THE-NEWER", vec!["2".to_owned()]));

    // A database that was set back counts anew; what Redis remembers of it is not newer then.
    redis.ask(&["set", redis.ask(&["--scan", "--pattern", "wxops:*:main:token"]).trim(), "40"]);
    redis.ask(&["set", &key(&stage), "OF-ANOTHER-TIME"]);
    refresh(&stage).await;
    assert_eq!((get(&redis, &key(&stage)).as_str(), beside(&redis)), ("THE-NEWER", vec!["2".to_owned()]));
}

/// A way to a Redis on which the first script waits until `hold` is false.
async fn hold_writes(url: String, hold: watch::Receiver<bool>, held: watch::Sender<bool>) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = url.trim_start_matches("redis://").to_owned();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (mut from, mut to_client) = client.into_split();
            let (mut answers, mut to) = TcpStream::connect(&server).await.unwrap().into_split();
            tokio::spawn(async move { tokio::io::copy(&mut answers, &mut to_client).await });
            let (mut hold, held) = (hold.clone(), held.clone());
            tokio::spawn(async move {
                let mut bytes = [0; 16_384];
                while let Ok(count @ 1..) = from.read(&mut bytes).await {
                    if bytes[..count].windows(4).any(|word| word == b"EVAL") {
                        held.send_replace(true);
                        let _ = hold.wait_for(|hold| !hold).await;
                    }
                    if to.write_all(&bytes[..count]).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

async fn a_redis_that_was_away_is_whole_again(mut stage: Stage) {
    let Some(mut redis) = with_redis(&mut stage, "wxjava").await else { return };
    let (platform, key) = (Platform::of(&stage), key(&stage));
    refresh(&stage).await;
    redis.kill();
    let forced = stage.verb(&["token", "refresh", "--force"]).await.expect_code(0);
    assert!(forced.stderr.contains("the copy of the access_token was not written"), "{}", forced.stderr);
    let shown = show(&stage).await;
    assert!(shown["generation"] == "2" && shown["copy"]["state"] == "unknown", "{shown}");
    assert!(shown["copy"]["error"].as_str().unwrap().contains("Redis failed"), "{shown}");

    redis.restart().await;
    assert_eq!(show(&stage).await["copy"]["state"], "missing");
    let asked = platform.asked().await;
    refresh(&stage).await;
    assert_eq!(get(&redis, &key), shown["token"].as_str().unwrap());
    assert_eq!(platform.asked().await, asked, "the token was not due");
}

async fn what_another_program_writes_is_told(mut stage: Stage) {
    let Some(redis) = with_redis(&mut stage, "wxjava").await else { return };
    let key = key(&stage);
    refresh(&stage).await;
    let token = get(&redis, &key);
    for (act, state) in [
        (vec!["set", &key, "THE-RIVALS", "EX", "7000"], "foreign"),
        (vec!["del", &key], "missing"),
        (vec!["persist", &key], "behind"),
        (vec!["expire", &key, "600"], "behind"),
    ] {
        redis.ask(&act);
        assert_eq!(show(&stage).await["copy"]["state"], state, "{act:?}");
        let found = stage.verb(&["--json", "doctor"]).await.json().remove(0);
        let checks = found["checks"].as_array().unwrap();
        let check = checks.iter().find(|check| check["check"] == "redis" && check["account"] == "main").unwrap();
        assert_eq!(check["state"], "warn", "{check}");
        assert_eq!(check["what"].as_str().unwrap().contains("another program"), state == "foreign", "{check}");
        let said = refresh(&stage).await.stderr;
        assert_eq!(said.contains("another program had written its own token"), state == "foreign", "{said}");
        assert_eq!(get(&redis, &key), token, "{act:?}");
        assert!((7_000_000..=7_200_000).contains(&left(&redis, &key)), "{act:?}");
    }
}

async fn a_cluster_keeps_copies_too(mut stage: Stage) {
    let Some(cluster) = Cluster::start(stage.folder(), "copies").await else { return };
    for layout in ["silenceper", "wxjava", "easywechat6", "senparc", "plain:{crm}:token"] {
        set(&mut stage, &cluster.url(), layout);
        refresh(&stage).await;
        assert_eq!(show(&stage).await["copy"]["state"], "agrees", "{layout}");
    }
    let url = cluster.0[0].url();
    assert_eq!(cli(&url, &["-c", "get", "{crm}:token"]).trim(), show(&stage).await["token"].as_str().unwrap());
    stage.verb(&["token", "clear"]).await.expect_code(0);
    assert_eq!(cli(&url, &["-c", "exists", "{crm}:token"]).trim(), "0");
}

async fn what_can_not_be_copied_is_said_at_the_start(mut stage: Stage) {
    stage.account_settings = "token_redis_layout = \"wxjava\"\n".into();
    let told = stage.verb(&["token", "show"]).await.expect_code(78).stderr;
    assert!(told.contains("official.main.token_redis_layout") && told.contains("REDIS_URL"), "{told}");
    assert!(told.contains("wxops.toml"), "{told}");
    let url = "redis://127.0.0.1:1";
    for (layout, more, why) in [
        ("wxjava4", "", "must be plain:KEY, wxjava, easywechat6, silenceper or senparc"),
        ("plain:", "", "after plain: stands a key"),
        ("silenceper:x", "", "must be plain:KEY"),
        ("wxjava:a b", "", "may hold only letters"),
        (
            "plain:k",
            "[official.other]\napp_id = \"wx2\"\ntoken = \"abcdef\"\ntoken_redis_layout = \"plain:k\"\n",
            "writes the same key as official.",
        ),
        (
            "plain:k",
            "[official.other]\napp_id = \"wx2\"\ntoken = \"abcdef\"\ntoken_redis_layout = \"senparc\"\n",
            "secret",
        ),
    ] {
        set(&mut stage, url, layout);
        stage.account_settings += more;
        let told = stage.verb(&["token", "show", "--account", "main"]).await.expect_code(78).stderr;
        assert!(told.contains(why) && told.contains("token_redis_layout"), "{layout}: {told}");
    }
}
