//! A person is gone from everything that there is beside the tables: Redis, the receivers of hooks, the spool, the files.

use crate::durability::futures;
use crate::erasure::{NO_KEY, avatar, filled, holders_of, idle, receipts};
use crate::hooks::receiver::{Does, Receiver, deliveries, hurry, reach};
use crate::messages::{OPENID, event_at, text};
use crate::platform::Platform;
use crate::redis::OwnRedis;
use crate::rows::Db;
use crate::signer;
use crate::stage::{Serve, Stage, until};
use crate::stories::stories;
use serde_json::{Map, Value};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

stories! {
    each_store_confirms_and_the_receipt_names_it,
    who_returns_starts_clean_everywhere,
    what_lies_in_a_spool_is_waited_for,
    at_each_step_of_an_enrichment_nothing_stays,
    at_each_step_of_a_replay_nothing_stays,
    what_a_hook_has_in_hand_is_waited_for,
    many_are_told_of_in_one_batch,
    a_position_goes_with_the_permission,
    remains_go_from_everything,
}

const PLACE: &str = "<Latitude>23.1374</Latitude><Longitude>113.35</Longitude><Precision>1</Precision>";

/// What `followers show` says of the erasure of a person.
async fn erasure(stage: &Stage, openid: &str) -> Value {
    stage.verb(&["--json", "followers", "show", openid]).await.expect_code(0).json()[0]["erasure"].clone()
}

/// Waits until just these stores are pending, and tells what is shown then.
async fn pending(stage: &Stage, openid: &str, names: &[&str]) -> Value {
    let last = format!("SELECT stores FROM erasure WHERE openid = '{openid}' ORDER BY id DESC LIMIT 1");
    until(&format!("{names:?} to be pending"), async || {
        let stores = stage.rows(&last).await.first()?[0].clone()?;
        let stores: Map<String, Value> = serde_json::from_str(&stores).unwrap();
        let open: Vec<_> = stores.iter().filter(|(_, at)| at.is_null()).map(|(name, _)| name.as_str()).collect();
        (open == names).then_some(())
    })
    .await;
    let shown = erasure(stage, openid).await;
    assert_eq!(shown["pending"], serde_json::json!(names));
    shown
}

/// What minutes would do to waits that have grown.
async fn due_now(stage: &Stage) {
    stage.execute("UPDATE erasure SET due_at = 0 WHERE state = 'pending'").await;
}

/// Waits until so many are delivered, without the rest that a receiver is given.
async fn delivered(stage: &Stage, count: i64) {
    until(&format!("{count} delivered"), async || {
        hurry(stage).await;
        (deliveries(stage, "delivered").await == count).then_some(())
    })
    .await;
}

async fn push(serve: &Serve, xml: &str) {
    assert_eq!(serve.push(xml).await.status, 200);
}

/// Waits until Redis has every position as it is, and nobody else.
async fn copied(stage: &Stage) {
    let late = "SELECT (SELECT COUNT(*) FROM location WHERE copied = 0) + (SELECT COUNT(*) FROM location_gone WHERE tries = 0)";
    until("Redis to be up to date", async || (stage.number(late).await == 0).then_some(())).await;
}

/// Every key and every value of a server of a story's own that holds this.
fn in_redis(own: &OwnRedis, words: &str) -> Vec<String> {
    let keys = own.ask(&["--scan"]);
    let holds = |key: &&str| {
        let value = match own.ask(&["type", key]).trim() {
            "zset" => own.ask(&["zrange", key, "0", "-1"]),
            _ => own.ask(&["get", key]),
        };
        format!("{key}\n{value}").contains(words)
    };
    keys.lines().filter(holds).map(str::to_owned).collect()
}

async fn each_store_confirms_and_the_receipt_names_it(mut stage: Stage) {
    let Some(mut own) = OwnRedis::start(stage.folder(), "each_store_confirms").await else { return };
    let receiver = Receiver::start(Does::Answers(200, "")).await;
    stage.settings = format!("redis_url = \"{}\"\n", own.url());
    stage.account_settings = receiver.hook("crm", "events = [\"message.*\"]");
    let serve = stage.serve().await;
    let start = signer::now() - 50;
    push(&serve, &event_at("LOCATION", OPENID, start, PLACE)).await;
    push(&serve, &text(OPENID, "my secret trace", 7)).await;
    reach(&stage, "delivered", 1).await;
    copied(&stage).await;
    assert_eq!(in_redis(&own, OPENID).len(), 2, "else what follows proves nothing");

    receiver.now_does(Does::Answers(503, ""));
    own.kill();
    let forgotten = stage.verb(&["followers", "forget", OPENID, "--yes", "--wait", "500ms"]).await.expect_code(69);
    assert!(forgotten.stderr.contains("hooks, redis"), "{}", forgotten.stderr);
    let shown = pending(&stage, OPENID, &["hooks", "redis"]).await;
    assert!(shown["last_error"].as_str().unwrap().contains("Redis") && shown["receipt"].is_null(), "{shown}");
    receiver.now_does(Does::Answers(200, ""));
    delivered(&stage, 2).await;
    own.restart().await;
    receipts_due(&stage, 1).await;

    let receipt: Value = serde_json::from_str(erasure(&stage, OPENID).await["receipt"].as_str().unwrap()).unwrap();
    let stores = receipt["stores"].as_object().unwrap();
    let names: Vec<_> = stores.keys().map(String::as_str).collect();
    match stage.db {
        Db::Sqlite => assert_eq!(names, ["database", "file", "hooks", "redis", "spool"]),
        Db::MariaDb => assert_eq!(names, ["database", "hooks", "redis", "spool"]),
    }
    assert!(
        stores.values().all(|time| chrono::DateTime::parse_from_rfc3339(time.as_str().unwrap()).is_ok()),
        "{receipt}"
    );
    let told: Vec<_> = receiver.told().iter().map(|told| told.json()["type"].as_str().unwrap().to_owned()).collect();
    assert_eq!((told.first().unwrap().as_str(), told.last().unwrap().as_str()), ("message.text", "person.erased"));
    assert_eq!(in_redis(&own, OPENID), [""; 0]);
    assert_eq!(holders_of(&stage, &["secret trace".into()]).await, [""; 0]);
    assert_eq!(stage.number("SELECT COUNT(*) FROM location").await, 0);
    stage.verb(&["followers", "forget", "--verify"]).await.expect_code(0);
}

/// What the second following brought is not taken by the first erasure, nor confirmed by its receivers' answers to it.
async fn who_returns_starts_clean_everywhere(mut stage: Stage) {
    let Some(own) = OwnRedis::start(stage.folder(), "who_returns_starts_clean_everywhere").await else { return };
    let receiver = Receiver::start(Does::Answers(200, "")).await;
    stage.settings = format!("redis_url = \"{}\"\n", own.url());
    stage.account_settings = receiver.hook("crm", "events = [\"message.*\"]");
    let serve = stage.serve().await;
    let start = signer::now() - 50;
    push(&serve, &text(OPENID, "my early trace", 7)).await;
    reach(&stage, "delivered", 1).await;
    receiver.now_does(Does::Answers(503, ""));
    push(&serve, &event_at("LOCATION", OPENID, start, PLACE)).await;
    push(&serve, &event_at("unsubscribe", OPENID, start + 1, NO_KEY)).await;
    pending(&stage, OPENID, &["hooks"]).await;
    // They are back while the receiver is away, and leave again.
    push(&serve, &event_at("subscribe", OPENID, start + 2, NO_KEY)).await;
    push(&serve, &event_at("LOCATION", OPENID, start + 3, PLACE)).await;
    idle(&stage).await;
    copied(&stage).await;
    assert_eq!(in_redis(&own, OPENID).len(), 2, "the second following has a position");
    assert_eq!(stage.number("SELECT COUNT(*) FROM location").await, 1);
    receiver.now_does(Does::Answers(200, ""));
    delivered(&stage, 2).await;
    receipts_due(&stage, 1).await;
    push(&serve, &text(OPENID, "my later trace", 8)).await;
    reach(&stage, "delivered", 3).await;
    push(&serve, &event_at("unsubscribe", OPENID, signer::now() + 2, NO_KEY)).await;
    delivered(&stage, 4).await;
    receipts_due(&stage, 2).await;
    let erased: Vec<_> = receiver.told().into_iter().filter(|told| told.json()["type"] == "person.erased").collect();
    let mut ids: Vec<_> = erased.iter().map(|told| told.header("webhook-id").to_owned()).collect();
    ids.dedup();
    assert_eq!(ids.len(), 2, "each following has a news of its own: {ids:?}");
    assert_eq!(in_redis(&own, OPENID), [""; 0]);
    assert_eq!(holders_of(&stage, &["early trace".into(), "later trace".into()]).await, [""; 0]);
}

async fn receipts_due(stage: &Stage, count: i64) {
    let sealed =
        format!("SELECT COUNT(*) FROM erasure WHERE state = 'sealed' AND {count} = (SELECT COUNT(*) FROM erasure)");
    until(&format!("{count} receipts"), async || {
        due_now(stage).await;
        (stage.number(&sealed).await == count).then_some(())
    })
    .await;
}

/// A callback from before that waits for a person, here and on another host.
async fn what_lies_in_a_spool_is_waited_for(mut stage: Stage) {
    stage.settings = "spool_tmpfs = true\n".into();
    let folder = stage.folder().join(if stage.db == Db::Sqlite { "wxops.db.spool" } else { "wxops-spool" });
    let serve = stage.serve().await;
    push(&serve, &text(OPENID, "hello", 7)).await;
    stage.settled().await;
    std::fs::create_dir_all(&folder).unwrap();
    let aside = folder.join(format!("{}-1-0.refused", (signer::now() - 60) * 1000));
    std::fs::write(&aside, "a trace").unwrap();
    let now = if stage.db == Db::Sqlite { "CAST(strftime('%s', 'now') AS INTEGER)" } else { "UNIX_TIMESTAMP()" };
    let other = format!(
        "INSERT INTO spool (place, bytes, events, set_aside, seen_at) VALUES ('elsewhere:/spool', 0, 0, 0, ({now} - 60) * 1000)"
    );
    stage.execute(&other).await;
    let forgotten = stage.verb(&["followers", "forget", OPENID, "--yes", "--wait", "0s"]).await.expect_code(69);
    assert!(forgotten.stderr.contains("spool"), "{}", forgotten.stderr);
    let told = async |word: &str| {
        until(word, async || {
            due_now(&stage).await;
            let shown = stage.rows("SELECT state, stores, last_error FROM erasure").await;
            let why = shown[0][2].clone().unwrap_or_default();
            (shown[0][0].as_deref() == Some("pending") && why.contains(word)).then_some(why)
        })
        .await
    };
    assert!(told(&folder.display().to_string()).await.contains("elsewhere:/spool"));
    std::fs::remove_file(&aside).unwrap();
    until("only the other host to be waited for", async || {
        (!told("elsewhere:/spool").await.contains(&folder.display().to_string())).then_some(())
    })
    .await;
    // Its serve has looked since: nothing is there.
    stage.execute(&format!("UPDATE spool SET seen_at = ({now} + 60) * 1000 WHERE place = 'elsewhere:/spool'")).await;
    receipts_due(&stage, 1).await;
    assert_eq!(holders_of(&stage, &["a trace".into(), "hello".into()]).await, [""; 0]);
}

/// Stands between `serve` and the platform, and holds what user/info answers until it is opened.
struct Gate {
    address: SocketAddr,
    open: watch::Sender<bool>,
    held: Arc<AtomicUsize>,
}

impl Gate {
    async fn before(stage: &mut Stage) -> Gate {
        let (listener, platform) = (TcpListener::bind("127.0.0.1:0").await.unwrap(), stage.sandbox());
        let address = listener.local_addr().unwrap();
        let (open, watched) = watch::channel(false);
        let held = Arc::new(AtomicUsize::new(0));
        let holding = held.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, platform, watched.clone(), holding.clone()));
            }
        });
        stage.way = Some(address);
        Gate { address, open, held }
    }

    async fn has(&self, count: usize) {
        let address = self.address;
        until(&format!("{count} answers at {address}"), async || {
            (self.held.load(Ordering::SeqCst) == count).then_some(())
        })
        .await;
    }
}

async fn pass(client: TcpStream, platform: SocketAddr, mut open: watch::Receiver<bool>, held: Arc<AtomicUsize>) {
    let (mut from, mut to) = client.into_split();
    let (mut answers, mut asks) = TcpStream::connect(platform).await.unwrap().into_split();
    let (info, asked) = watch::channel(false);
    let there = async {
        let mut bytes = vec![0; 65_536];
        while let Ok(count @ 1..) = from.read(&mut bytes).await {
            let words = String::from_utf8_lossy(&bytes[..count]).into_owned();
            if words.contains("HTTP/1.1") {
                info.send_replace(words.contains("/cgi-bin/user/info"));
            }
            if asks.write_all(&bytes[..count]).await.is_err() {
                break;
            }
        }
    };
    let back = async {
        let mut bytes = vec![0; 65_536];
        while let Ok(count @ 1..) = answers.read(&mut bytes).await {
            if *asked.borrow() && !*open.borrow() {
                held.fetch_add(1, Ordering::SeqCst);
                let _ = open.wait_for(|open| *open).await;
            }
            if to.write_all(&bytes[..count]).await.is_err() {
                break;
            }
        }
    };
    tokio::select! { () = there => {}, () = back => {} }
}

/// Before it is claimed, while it is asked, with the answer on its way to the database, after it is written.
async fn at_each_step_of_an_enrichment_nothing_stays(mut stage: Stage) {
    let platform = Platform::restart(&mut stage, &["--profile", "2021"]).await;
    let gate = Gate::before(&mut stage).await;
    let serve = stage.serve().await;
    let people = [
        "oBEFORE0000000000000000000",
        "oFLIGHT0000000000000000000",
        "oWRITE00000000000000000000",
        "oAFTER00000000000000000000",
    ];
    let (mut canaries, start) = (vec!["qr trace".to_owned()], signer::now() - 60);
    for openid in people {
        platform.happens("subscribe", openid).await;
        canaries.push(avatar(&platform, openid).await);
        let name = platform.person(openid).await["nickname"].as_str().unwrap().to_owned();
        canaries.extend((name.len() > 5).then_some(name));
    }
    let [before, flight, write, after] = people;
    let scene = "<EventKey><![CDATA[qrscene_qr trace]]></EventKey>";
    let leaves = async |openid: &str| {
        push(&serve, &event_at("unsubscribe", openid, start + 1, NO_KEY)).await;
        stage.settled().await;
    };
    // Written, then they leave.
    gate.open.send_replace(true);
    push(&serve, &event_at("subscribe", after, start, scene)).await;
    filled(&stage, 1).await;
    assert!(!holders_of(&stage, &canaries).await.is_empty(), "else what follows proves nothing");
    leaves(after).await;
    // In flight: the platform has answered, the answer has not arrived.
    gate.open.send_replace(false);
    push(&serve, &event_at("subscribe", flight, start, scene)).await;
    gate.has(1).await;
    leaves(flight).await;
    gate.open.send_replace(true);
    // Another process has claimed it; it is asked only when they have left.
    let until_ms = (signer::now() + 600) * 1000;
    stage.execute(&format!("INSERT INTO user_mapping (account, openid, is_followed, follow_time, info_due_at, info_lease, created_at, updated_at) \
        SELECT account, '{before}', 1, follow_time, 1, {until_ms} * 1048576 + 1, created_at, updated_at FROM user_mapping WHERE openid = '{after}'")).await;
    push(&serve, &event_at("SCAN", before, start, "<EventKey><![CDATA[qr trace]]></EventKey>")).await;
    leaves(before).await;
    // The answer and the leaving go to the database side by side.
    gate.open.send_replace(false);
    push(&serve, &event_at("subscribe", write, start, scene)).await;
    gate.has(2).await;
    tokio::join!(leaves(write), async {
        gate.open.send_replace(true);
    });
    idle(&stage).await;
    receipts(&stage, 4).await;
    assert_eq!(holders_of(&stage, &canaries).await, [""; 0]);
    assert_eq!(
        stage.number("SELECT COUNT(*) FROM user_mapping WHERE is_followed = 1 OR nickname IS NOT NULL").await,
        0
    );
    assert!(!canaries.iter().any(|canary| serve.log().contains(canary)));
}

/// Before it is claimed, in another process' hand, and when that has ended.
async fn at_each_step_of_a_replay_nothing_stays(mut stage: Stage) {
    let platform = Platform::restart(&mut stage, &["--profile", "2021"]).await;
    let mut serve = stage.serve().await;
    let people = ["oDUE0000000000000000000000", "oHAND000000000000000000000", "oLOST000000000000000000000"];
    let (mut canaries, start) = (vec!["qr trace".to_owned()], signer::now() - 60);
    for openid in people {
        platform.happens("subscribe", openid).await;
        canaries.push(avatar(&platform, openid).await);
        push(&serve, &event_at("subscribe", openid, start, "<EventKey><![CDATA[qrscene_qr trace]]></EventKey>")).await;
    }
    filled(&stage, 3).await;
    serve.kill().await;
    for row in stage.rows("SELECT id FROM inbox_event ORDER BY id").await {
        stage.verb(&["events", "replay", row[0].as_deref().unwrap()]).await.expect_code(0);
    }
    let later = (signer::now() + 600) * 1000;
    let set = async |openid: &str, what: &str| {
        stage
            .execute(&format!("UPDATE inbox_event SET {what} WHERE kind = 'event.subscribe' AND openid = '{openid}'"))
            .await;
    };
    set(people[0], &format!("due_at = {later}")).await;
    let mut serve = stage.serve().await;
    stage.execute("UPDATE user_mapping SET info_due_at = NULL").await;
    for openid in &people[1..] {
        set(openid, &format!("state = 'new', lease = 77, lease_until = {later}")).await;
    }
    for openid in people {
        push(&serve, &event_at("unsubscribe", openid, start + 1, NO_KEY)).await;
    }
    let left = "SELECT COUNT(*) FROM erasure";
    until("all to have left", async || (stage.number(left).await == 3).then_some(())).await;
    // The process that had it in hand settles late, or dies; then the rows are taken again.
    set(people[0], "due_at = 0").await;
    set(people[1], "lease_until = 0").await;
    serve.kill().await;
    set(people[2], "lease_until = 0").await;
    let _serve = stage.serve().await;
    idle(&stage).await;
    receipts_due(&stage, 3).await;
    assert_eq!(holders_of(&stage, &canaries).await, [""; 0]);
    assert_eq!(stage.number("SELECT COUNT(*) FROM user_mapping WHERE is_followed = 1 OR erased_at IS NULL").await, 0);
}

/// A delivery under way while its person leaves: the receiver hears of the erasure after it, and only then it is confirmed.
async fn what_a_hook_has_in_hand_is_waited_for(mut stage: Stage) {
    let receiver = Receiver::start(Does::Hangs).await;
    stage.account_settings = receiver.hook("crm", "events = [\"message.*\"]\ntimeout = \"2s\"\ntries = 1");
    let serve = stage.serve().await;
    push(&serve, &text(OPENID, "my secret trace", 7)).await;
    receiver.has(1).await;
    push(&serve, &event_at("unsubscribe", OPENID, signer::now() + 2, NO_KEY)).await;
    pending(&stage, OPENID, &["hooks"]).await;
    assert_eq!(holders_of(&stage, &["secret trace".into()]).await, [""; 0]);
    receiver.now_does(Does::Answers(200, ""));
    until("the erasure to be heard", async || {
        hurry(&stage).await;
        (receiver.told().last().unwrap().json()["type"] == "person.erased").then_some(())
    })
    .await;
    receipts_due(&stage, 1).await;
    assert_eq!(stage.number("SELECT COUNT(*) FROM hook_person").await, 0);
}

/// A batch of many people: each of them is told of, and nobody else.
async fn many_are_told_of_in_one_batch(mut stage: Stage) {
    let receiver = Receiver::start(Does::Answers(200, "")).await;
    stage.account_settings = receiver.hook("crm", "events = [\"message.*\"]");
    let serve = stage.serve().await;
    let people: Vec<String> = (0..48).map(|number| format!("oMANY{number:023}")).collect();
    let texts: Vec<String> =
        people.iter().enumerate().map(|(at, openid)| text(openid, "hello", at as u64 + 1)).collect();
    futures(texts.iter().map(|xml| serve.push(xml))).await;
    reach(&stage, "delivered", 48).await;
    let leave: Vec<String> =
        people[..40].iter().map(|openid| event_at("unsubscribe", openid, signer::now() + 2, NO_KEY)).collect();
    futures(leave.iter().map(|xml| serve.push(xml))).await;
    reach(&stage, "delivered", 88).await;
    receipts_due(&stage, 40).await;
    let mut told: Vec<String> = receiver
        .told()
        .iter()
        .map(|told| told.json())
        .filter(|told| told["type"] == "person.erased")
        .map(|told| told["data"]["openid"].as_str().unwrap().to_owned())
        .collect();
    told.sort();
    assert_eq!(told, people[..40]);
    assert_eq!(stage.number("SELECT COUNT(*) FROM hook_person").await, 8);
}

async fn a_position_goes_with_the_permission(mut stage: Stage) {
    let Some(own) = OwnRedis::start(stage.folder(), "a_position_goes_with_the_permission").await else { return };
    stage.settings = format!("redis_url = \"{}\"\n", own.url());
    let serve = stage.serve().await;
    let start = signer::now() - 50;
    push(&serve, &event_at("subscribe", OPENID, start, NO_KEY)).await;
    push(&serve, &event_at("LOCATION", OPENID, start + 1, PLACE)).await;
    copied(&stage).await;
    let revoked = format!("<OpenID><![CDATA[{OPENID}]]></OpenID><RevokeInfo>206</RevokeInfo>\n");
    push(&serve, &event_at("user_authorization_revoke", "gh_the_platform", start + 2, &revoked)).await;
    // From before, and late.
    push(&serve, &event_at("LOCATION", OPENID, start + 2, PLACE)).await;
    idle(&stage).await;
    copied(&stage).await;
    assert_eq!(in_redis(&own, OPENID), [""; 0]);
    assert_eq!(stage.number("SELECT COUNT(*) FROM location").await, 0);
    push(&serve, &event_at("LOCATION", OPENID, start + 3, PLACE)).await;
    idle(&stage).await;
    assert_eq!(stage.number("SELECT COUNT(*) FROM location").await, 1, "they have allowed it again");
}

async fn remains_go_from_everything(mut stage: Stage) {
    let receiver = Receiver::start(Does::Answers(200, "")).await;
    stage.account_settings = receiver.hook("crm", "events = [\"*\"]");
    let serve = stage.serve().await;
    let start = signer::now() - 50;
    push(&serve, &event_at("subscribe", OPENID, start, NO_KEY)).await;
    push(&serve, &event_at("LOCATION", OPENID, start + 1, PLACE)).await;
    reach(&stage, "delivered", 2).await;
    push(&serve, &event_at("unsubscribe", OPENID, start + 2, NO_KEY)).await;
    reach(&stage, "delivered", 4).await;
    receipts_due(&stage, 1).await;
    let old = crate::purge::ago(stage.db, if stage.db == Db::Sqlite { "31 days" } else { "31 DAY" });
    stage.execute(&format!("UPDATE user_mapping SET erased_at = {old}")).await;
    let done =
        stage.verb(&["--json", "followers", "purge", "--older-than", "30d", "--yes"]).await.expect_code(0).json();
    assert_eq!((&done[0]["people"], &done[0]["events"]), (&1.into(), &3.into()));
    let left = "SELECT (SELECT COUNT(*) FROM hook_delivery) + (SELECT COUNT(*) FROM hook_person) \
                + (SELECT COUNT(*) FROM location_gone)";
    assert_eq!(stage.number(left).await, 0);
    if stage.db == Db::MariaDb {
        assert_eq!(holders_of(&stage, &[OPENID.to_owned()]).await, [""; 0]);
    }
    stage.verb(&["followers", "forget", "--verify"]).await.expect_code(0);
}
