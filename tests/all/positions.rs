//! Last positions: which one counts, who is near, how long it is kept, what leaving does to it; the same answers from
//! the database, from Redis and from a cluster, whatever Redis goes through.

use crate::http;
use crate::messages::{OPENID, event_at};
use crate::platform::ClockFile;
use crate::redis::{self, Cluster, OwnRedis};
use crate::rows::Db;
use crate::signer;
use crate::stage::{Serve, Stage, until};
use crate::stories::stories;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::Value;

stories! {
    the_last_position_counts_in_any_order,
    who_has_left_has_no_position,
    a_position_that_was_forgotten_stays_forgotten,
    positions_expire,
    near_is_what_brute_force_finds,
    redis_gives_the_same_answers,
    a_person_who_leaves_is_gone_from_redis,
    no_callback_waits_for_redis_and_a_loss_heals,
    a_cluster_gives_the_same_answers,
    slips_are_named,
}

const DAY: i64 = 86_400;

fn located(openid: &str, created: i64, latitude: &str, longitude: &str) -> String {
    let fields =
        format!("<Latitude>{latitude}</Latitude><Longitude>{longitude}</Longitude><Precision>119.385040</Precision>");
    event_at("LOCATION", openid, created, &fields)
}

async fn tell(stage: &Stage, serve: &Serve, xml: &str) {
    assert_eq!(serve.push(xml).await.status, 200);
    stage.settled().await;
}

async fn near(stage: &Stage, args: &[&str]) -> Vec<Value> {
    stage.verb(&[&["--json", "locations", "near"], args].concat()).await.expect_code(0).json()
}

async fn place_of(stage: &Stage) -> Vec<Vec<Option<String>>> {
    stage.rows("SELECT latitude, longitude FROM location").await
}

async fn the_last_position_counts_in_any_order(stage: Stage) {
    let serve = stage.serve().await;
    let now = signer::now() - 100;
    tell(&stage, &serve, &located(OPENID, now + 10, "23.137466", "113.352425")).await;
    tell(&stage, &serve, &located(OPENID, now, "1.0", "2.0")).await;
    let last = [Some("23.137466".to_owned()), Some("113.352425".to_owned())];
    assert_eq!(place_of(&stage).await, [last]);
    tell(&stage, &serve, &located(OPENID, now + 20, "-9.5", "-0.25")).await;
    assert_eq!(place_of(&stage).await, [[Some("-9.5".to_owned()), Some("-0.25".to_owned())]]);
    // Of two in one second the greater stands, whichever came first.
    tell(&stage, &serve, &located(OPENID, now + 20, "8.5", "1")).await;
    tell(&stage, &serve, &located(OPENID, now + 20, "8.25", "1")).await;
    let found = near(&stage, &["8.5,1", "--radius", "1m"]).await;
    assert_eq!((found.len(), found[0]["openid"].as_str()), (1, Some(OPENID)));
    assert_eq!((found[0]["metres"].as_f64(), found[0]["precision"].as_f64()), (Some(0.0), Some(119.38504)));

    // What is no place on the globe changes nothing, and parks nothing.
    for (latitude, longitude) in [("90.1", "0"), ("0", "-180.5"), ("NaN", "0"), ("", ""), ("inf", "1")] {
        tell(&stage, &serve, &located(OPENID, now + 50, latitude, longitude)).await;
    }
    tell(&stage, &serve, &event_at("LOCATION", OPENID, now + 51, "")).await;
    assert_eq!(near(&stage, &["8.5,1", "--radius", "1m"]).await.len(), 1);
    assert_eq!(stage.number("SELECT COUNT(*) FROM inbox_event WHERE state <> 'done'").await, 0);
    assert_eq!(stage.number("SELECT COUNT(*) FROM user_mapping").await, 0, "nobody follows by being somewhere");

    // Many people in one batch, and a person many times.
    let pushes = (0..60).map(|n| located(&format!("oMANY{:023}", n % 20), now + n, "30", &format!("{n}.5")));
    for push in pushes {
        assert_eq!(serve.push(&push).await.status, 200);
    }
    stage.settled().await;
    assert_eq!(stage.number("SELECT COUNT(*) FROM location WHERE latitude = 30 AND longitude >= 40").await, 20);
}

async fn who_has_left_has_no_position(mut stage: Stage) {
    // Apart by more than a round takes: one second's push is the other round's repetition.
    for (policy, ago) in [("erase", 200), ("keep", 100)] {
        stage.settings = format!("unsubscribe_policy = \"{policy}\"");
        let serve = stage.serve().await;
        let (now, openid) = (signer::now() - ago, format!("oLEFT{policy:0>23}"));
        tell(&stage, &serve, &located(&openid, now, "23.1", "113.3")).await;
        // Who stays is another each time: both rounds may be over within a second.
        tell(&stage, &serve, &located(&format!("oSTAY{policy:0>23}"), now, "23.1", "113.3")).await;
        tell(&stage, &serve, &event_at("unsubscribe", &openid, now + 5, "<EventKey></EventKey>")).await;
        assert_eq!(stage.number(&format!("SELECT COUNT(*) FROM location WHERE openid = '{openid}'")).await, 0);
        let told = format!(
            "SELECT COUNT(*) FROM inbox_event WHERE kind = 'event.location' AND raw IS NOT NULL AND openid = '{openid}'"
        );
        assert_eq!(stage.number(&told).await, 0, "{policy}");
        // One that was on its way when they left.
        tell(&stage, &serve, &located(&openid, now + 4, "23.2", "113.4")).await;
        tell(&stage, &serve, &located(&openid, now + 5, "23.2", "113.4")).await;
        assert_eq!(stage.number("SELECT COUNT(*) FROM location").await, 1, "{policy}");
        // Who is back is somewhere again.
        tell(&stage, &serve, &located(&openid, now + 9, "23.2", "113.4")).await;
        assert_eq!(near(&stage, &["23.2,113.4", "--radius", "1m"]).await[0]["openid"], openid.as_str());
        // An unsubscribe that comes late does not take what was told after it.
        tell(&stage, &serve, &event_at("unsubscribe", &openid, now + 7, "<EventKey>x</EventKey>")).await;
        assert_eq!(near(&stage, &["23.2,113.4", "--radius", "1m"]).await.len(), 1, "{policy}");
        stage.execute("DELETE FROM location").await;
    }
}

/// What another part forgets, such as a revoked authorisation, is known to a position that comes late.
async fn a_position_that_was_forgotten_stays_forgotten(stage: Stage) {
    let serve = stage.serve().await;
    let now = signer::now() - 100;
    let time = chrono::DateTime::from_timestamp(now, 0).unwrap();
    let at = match stage.db {
        Db::Sqlite => time.format("%Y-%m-%dT%H:%M:%S.000Z").to_string(),
        Db::MariaDb => time.format("%Y-%m-%d %H:%M:%S.000").to_string(),
    };
    let insert = "INSERT INTO location_gone (account, openid, at, gone_at, due_at) VALUES";
    stage.execute(&format!("{insert} ('main', '{OPENID}', '{at}', {now}000, {now}000)")).await;
    tell(&stage, &serve, &located(OPENID, now, "1", "2")).await;
    assert_eq!(stage.number("SELECT COUNT(*) FROM location").await, 0);
    tell(&stage, &serve, &located(OPENID, now + 1, "1", "2")).await;
    assert_eq!(stage.number("SELECT COUNT(*) FROM location").await, 1);
}

async fn positions_expire(mut stage: Stage) {
    let mut clock = ClockFile::of(&mut stage);
    let serve = stage.serve().await;
    let (now, moved) = (signer::now(), "oMOVED0000000000000000000001");
    tell(&stage, &serve, &located(OPENID, now - 59 * DAY, "23.1", "113.3")).await;
    tell(&stage, &serve, &located(moved, now - 59 * DAY, "23.1", "113.3")).await;
    assert_eq!(near(&stage, &["23.1,113.3", "--radius", "1km"]).await.len(), 2);
    tell(&stage, &serve, &located(moved, now, "24.1", "113.3")).await;
    clock.advance(2 * DAY);
    assert_eq!(near(&stage, &["23.1,113.3", "--radius", "1km"]).await.len(), 0);
    assert_eq!(near(&stage, &["24.1,113.3", "--radius", "1km"]).await.len(), 1);
    // The row goes by itself, and so do the callbacks that told it; those of the last two months stay.
    let left = "SELECT COUNT(*) FROM location";
    until("the expired row to go", async || (stage.number(left).await == 1).then_some(())).await;
    let told = "SELECT COUNT(*) FROM inbox_event WHERE raw IS NOT NULL";
    until("old callbacks to be blanked", async || (stage.number(told).await == 1).then_some(())).await;
}

/// Somebody somewhere, as the test knows it.
struct Known {
    openid: String,
    latitude: f64,
    longitude: f64,
}

/// Where it is asked, and within how many metres: a city, the date line from both sides, the poles, far away.
const CIRCLES: &[(f64, f64, f64)] = &[
    (23.13, 113.35, 500.0),
    (23.13, 113.35, 2_000.0),
    (23.13, 113.35, 60_000.0),
    (31.2, 121.5, 500_000.0),
    (-17.0, 179.99, 5_000.0),
    (-17.0, -179.99, 5_000.0),
    (-17.0, 180.0, 60_000.0),
    (84.95, 10.0, 20_000.0),
    (89.99, 0.0, 5_000.0),
    (-90.0, 0.0, 100_000.0),
    (0.0, 0.0, 1.0),
];

/// People around every one of these places, straight into the table, as a million events would have brought them.
async fn settle_people(stage: &Stage, count: usize) -> Vec<Known> {
    let mut random = StdRng::seed_from_u64(7);
    let mut known = Vec::new();
    for n in 0..count {
        let (latitude, longitude, metres) = CIRCLES[n % CIRCLES.len()];
        let spread = metres / 111_000.0 * 1.6;
        let round = |value: f64| (value * 1e6).round() / 1e6;
        let latitude = round((latitude + random.random_range(-spread..=spread)).clamp(-90.0, 90.0));
        let wide = spread / latitude.to_radians().cos().max(0.02);
        let longitude = longitude + random.random_range(-wide..=wide);
        let longitude = round((longitude + 540.0).rem_euclid(360.0) - 180.0);
        known.push(Known { openid: format!("oNEAR{n:023}"), latitude, longitude });
    }
    let time = if stage.db == Db::Sqlite { "2026-11-21T00:00:00.000Z" } else { "2026-11-21 00:00:00.000" };
    let expires = (signer::now() + 30 * DAY) * 1_000;
    let row = |one: &Known| {
        let Known { openid, latitude, longitude } = one;
        let row = ((latitude + 90.0) * 20.0).floor() as i64;
        let cell = row * 7_200 + (((longitude + 180.0) * 20.0).floor() as i64).rem_euclid(7_200);
        format!("('main', '{openid}', {latitude:.6}, {longitude:.6}, '{time}', {expires}, {cell}, {expires})")
    };
    for some in known.chunks(500) {
        let rows: Vec<_> = some.iter().map(row).collect();
        let insert =
            "INSERT INTO location (account, openid, latitude, longitude, at, expires_at, cell, tidy_at) VALUES ";
        stage.execute(&format!("{insert}{}", rows.join(", "))).await;
    }
    known
}

/// Metres along the ground, by another formula than the program's: the angle between two arrows from the middle.
fn metres(one: &Known, latitude: f64, longitude: f64) -> f64 {
    let arrow = |latitude: f64, longitude: f64| {
        let (up, round) = (latitude.to_radians(), longitude.to_radians());
        [up.cos() * round.cos(), up.cos() * round.sin(), up.sin()]
    };
    let (a, b) = (arrow(one.latitude, one.longitude), arrow(latitude, longitude));
    let cross = [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
    let length = |v: [f64; 3]| v.iter().map(|x| x * x).sum::<f64>().sqrt();
    let dot: f64 = a.iter().zip(&b).map(|(x, y)| x * y).sum();
    6_372_797.560_856 * length(cross).atan2(dot)
}

/// Asks at every place; who is named and in which order is what looking at everybody gives. Nobody stands within
/// a centimetre of the edge, where two formulas may differ.
async fn compare(stage: &Stage, known: &[Known], circles: &[(f64, f64, f64)], by_redis: bool) {
    for (latitude, longitude, radius) in circles {
        let mut wanted: Vec<(f64, &str)> = known
            .iter()
            .map(|one| (metres(one, *latitude, *longitude), one.openid.as_str()))
            .filter(|(far, _)| far <= radius)
            .collect();
        wanted.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(other.1)));
        wanted.truncate(40);
        let (place, radius) = (format!("{latitude},{longitude}"), format!("{radius}m"));
        let args = ["-vv", "--json", "locations", "near", &place, "--radius", &radius, "--limit", "40"];
        let told = stage.verb(&args).await.expect_code(0);
        let found = told.json();
        assert_eq!(found.len(), wanted.len(), "{place} {radius}");
        for (found, (far, openid)) in found.iter().zip(&wanted) {
            let metres = found["metres"].as_f64().unwrap();
            assert!((metres - far).abs() < 0.06, "{place} {radius}: {found} is {far} away");
            assert!(
                found["openid"] == *openid || (metres - far).abs() < 0.06,
                "{place} {radius}: {found} for {openid}"
            );
        }
        assert_eq!(told.stderr.contains("answered by Redis"), by_redis, "{place} {radius}: {}", told.stderr);
    }
}

/// The places that Redis' geo sets can answer for: neither at a pole nor across the date line.
fn inland() -> Vec<(f64, f64, f64)> {
    let at_the_edge = |(latitude, longitude, _): &&(f64, f64, f64)| latitude.abs() > 84.0 || longitude.abs() > 179.0;
    CIRCLES.iter().filter(|circle| !at_the_edge(circle)).copied().collect()
}

fn at_the_edge() -> Vec<(f64, f64, f64)> {
    CIRCLES.iter().filter(|circle| !inland().contains(circle)).copied().collect()
}

async fn near_is_what_brute_force_finds(stage: Stage) {
    let known = settle_people(&stage, 2_000).await;
    compare(&stage, &known, CIRCLES, false).await;
    let table =
        stage.verb(&["locations", "near", "23.13,113.35", "--radius", "500m", "--limit", "3"]).await.expect_code(0);
    assert_eq!(table.stdout.lines().count(), 4, "{}", table.stdout);
    let nobody = stage.verb(&["locations", "near", "50,50", "--radius", "1km"]).await.expect_code(0);
    assert!(nobody.stdout.is_empty() && nobody.stderr.contains("nothing to list"), "{nobody:?}");
}

async fn copied(stage: &Stage) {
    let late = "SELECT (SELECT COUNT(*) FROM location WHERE copied = 0) + \
                (SELECT COUNT(*) FROM location_gone WHERE due_at IS NOT NULL AND tries = 0)";
    until("every copy to be made", async || (stage.number(late).await == 0).then_some(())).await;
}

/// Waits until Redis answers again for a place with nobody near.
async fn by_redis(stage: &Stage) {
    let args = ["-vv", "locations", "near", "50,50", "--radius", "1km"];
    until("Redis to answer", async || stage.verb(&args).await.stderr.contains("answered by Redis").then_some(())).await;
}

async fn redis_gives_the_same_answers(mut stage: Stage) {
    let Some(url) = redis::shared("redis_gives_the_same_answers") else { return };
    let known = settle_people(&stage, 2_000).await;
    stage.settings = format!("redis_url = \"{url}\"");
    let serve = stage.serve().await;
    copied(&stage).await;
    by_redis(&stage).await;
    compare(&stage, &known, &inland(), true).await;
    compare(&stage, &known, &at_the_edge()[..2], false).await;
    // What is told now is found now, whether or not it is copied yet.
    tell(&stage, &serve, &located(OPENID, signer::now(), "50.0", "50.0")).await;
    assert_eq!(near(&stage, &["50,50", "--radius", "1km"]).await[0]["openid"], OPENID);
    tell(&stage, &serve, &located(OPENID, signer::now() + 1, "51.0", "50.0")).await;
    assert_eq!(near(&stage, &["50,50", "--radius", "1km"]).await.len(), 0);
    copied(&stage).await;
    assert_eq!(near(&stage, &["50,50", "--radius", "1km"]).await.len(), 0);
    assert_eq!(near(&stage, &["51,50", "--radius", "1km"]).await.len(), 1);
    // A key that Redis threw out is missed by nobody: the database knows, and it is copied again.
    let [key] = &redis::keys_with(&url, &format!("at:{OPENID}"))[..] else { panic!("one key a person") };
    assert!(redis::cli(&url, &["pttl", key]).trim().parse::<i64>().unwrap() > 59 * DAY * 1_000);
    redis::cli(&url, &["del", key]);
    assert_eq!(near(&stage, &["51,50", "--radius", "1km"]).await.len(), 1);
    until("its copy", async || (redis::cli(&url, &["exists", key]).trim() == "1").then_some(())).await;
    // One that has expired is gone from the set too, once it was met.
    stage.execute(&format!("UPDATE location SET expires_at = 5 WHERE openid = '{OPENID}'")).await;
    redis::cli(&url, &["del", key]);
    assert_eq!(near(&stage, &["51,50", "--radius", "1km"]).await.len(), 0);
    let set = key.replace(&format!("at:{OPENID}"), "places");
    assert_eq!(redis::cli(&url, &["zscore", &set, OPENID]).trim(), "");
}

async fn a_person_who_leaves_is_gone_from_redis(mut stage: Stage) {
    let Some(url) = redis::shared("a_person_who_leaves_is_gone_from_redis") else { return };
    stage.settings = format!("redis_url = \"{url}\"");
    let serve = stage.serve().await;
    let (now, openid) = (signer::now() - 50, format!("oGONE{:0>23}", format!("{:?}{}", stage.db, std::process::id())));
    tell(&stage, &serve, &located(&openid, now, "23.1", "113.3")).await;
    copied(&stage).await;
    let [key] = &redis::keys_with(&url, &openid)[..] else { panic!("one key a person") };
    let set = key.replace(&format!("at:{openid}"), "places");
    assert_ne!(redis::cli(&url, &["zscore", &set, &openid]).trim(), "");

    tell(&stage, &serve, &event_at("unsubscribe", &openid, now + 5, "<EventKey></EventKey>")).await;
    assert_eq!(near(&stage, &["23.1,113.3", "--radius", "1km"]).await.len(), 0, "at once");
    copied(&stage).await;
    assert_eq!(redis::keys_with(&url, &openid), [""; 0]);
    assert_eq!(redis::cli(&url, &["zscore", &set, &openid]).trim(), "");
    // Who comes back is copied again, also where the second removal is still to come.
    tell(&stage, &serve, &located(&openid, now + 9, "23.1", "113.3")).await;
    stage.execute("UPDATE location_gone SET due_at = 1").await;
    until("the second removal", async || {
        (stage.number("SELECT COUNT(*) FROM location_gone WHERE due_at IS NOT NULL").await == 0).then_some(())
    })
    .await;
    copied(&stage).await;
    assert_eq!(redis::keys_with(&url, &openid).len(), 1);
    assert_eq!(near(&stage, &["23.1,113.3", "--radius", "1km"]).await.len(), 1);
}

async fn no_callback_waits_for_redis_and_a_loss_heals(mut stage: Stage) {
    let Some(mut own) = OwnRedis::start(stage.folder(), "no_callback_waits_for_redis").await else { return };
    stage.settings = format!("redis_url = \"{}\"\napi_token = \"secret-of-the-admin\"", own.url());
    let serve = stage.serve().await;
    let now = signer::now() - 50;
    tell(&stage, &serve, &located(OPENID, now, "50", "50")).await;
    copied(&stage).await;
    by_redis(&stage).await;
    own.kill();
    let start = std::time::Instant::now();
    tell(&stage, &serve, &located(OPENID, now + 5, "50.001", "50")).await;
    assert!(start.elapsed().as_secs() < 2, "{:?}", start.elapsed());
    let health = async || {
        let head = [("Authorization", "Bearer secret-of-the-admin")];
        let told = http::once(serve.address(), &http::request("GET", "/healthz?verbose", &head, b"")).await.unwrap();
        serde_json::from_str::<Value>(&told.text()).unwrap()
    };
    let ill = async || (health().await["dependencies"]["redis"]["ok"] == false).then_some(());
    until("the health to tell", ill).await;
    assert_eq!(http::get(serve.address(), "/readyz").await.unwrap().status, 200, "callbacks go on");
    assert_eq!(serve.metric("wxops_redis_up", &[]).await, 0.0);
    let told = stage.verb(&["--json", "locations", "near", "50,50", "--radius", "1km"]).await.expect_code(0);
    assert_eq!(told.json().len(), 1);
    assert!(told.stderr.contains("Redis can't be asked"), "{}", told.stderr);
    let doctor = stage.verb(&["--json", "doctor"]).await;
    let found = doctor.json()[0].to_string();
    assert!(found.contains("Redis failed"), "{found}");

    // It comes back empty: that is seen, and everybody is copied again, those too that did not change.
    own.restart().await;
    by_redis(&stage).await;
    assert_eq!(near(&stage, &["50,50", "--radius", "1km"]).await.len(), 1);
    let well = async || (health().await["dependencies"]["redis"]["ok"] == true).then_some(());
    until("the health to tell", well).await;
    until("the metric", async || (serve.metric("wxops_redis_up", &[]).await == 1.0).then_some(())).await;
    // Emptied while it runs, which no connection tells.
    own.ask(&["flushall"]);
    assert_eq!(near(&stage, &["50,50", "--radius", "1km"]).await.len(), 1, "the database answers");
    by_redis(&stage).await;
    assert_eq!(redis::keys_with(&own.url(), OPENID).len(), 1);
}

async fn a_cluster_gives_the_same_answers(mut stage: Stage) {
    let Some(cluster) = Cluster::start(stage.folder(), "a_cluster_gives_the_same_answers").await else { return };
    let known = settle_people(&stage, 600).await;
    stage.settings = format!("redis_url = \"{}\"", cluster.url());
    let serve = stage.serve().await;
    copied(&stage).await;
    by_redis(&stage).await;
    compare(&stage, &known, &inland()[..3], true).await;
    for node in &cluster.0 {
        assert!(redis::keys_with(&node.url(), "oNEAR").len() > 100, "the keys are spread");
    }
    let leaver = &known[0].openid;
    tell(&stage, &serve, &event_at("unsubscribe", leaver, signer::now(), "<EventKey></EventKey>")).await;
    copied(&stage).await;
    assert!(cluster.0.iter().all(|node| redis::keys_with(&node.url(), leaver).is_empty()));
}

async fn slips_are_named(stage: Stage) {
    for (args, words) in [
        ("113.3588,23.1345 --radius 2km", "did you mean 23.1345,113.3588?"),
        ("91,200 --radius 2km", "-90 to 90"),
        ("here --radius 2km", "23.1345,113.3588"),
        ("23.1,113.3 --radius 2", "2km"),
        ("23.1,113.3 --radius 501km", "500km"),
        ("23.1,113.3 --radius 0m", "500km"),
        ("23.1,113.3", "--radius"),
    ] {
        let words_of = [&["locations", "near"], &args.split(' ').collect::<Vec<_>>()[..]].concat();
        let slip = stage.verb(&words_of).await.expect_code(2);
        assert!(slip.stderr.contains(words) && slip.stdout.is_empty(), "{args}: {}", slip.stderr);
    }
    stage.verb(&["locations", "near", "-23.1,-113.3", "--radius", "1.5km"]).await.expect_code(0);
}
