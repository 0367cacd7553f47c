//! One conformance suite, run on each database.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::domain::event::{Element, Event, Kind};
use crate::domain::geo::Place;
use crate::domain::secret::Secret;
use chrono::{TimeZone, Utc};
use sqlx::Connection;
use std::sync::atomic::{AtomicU32, Ordering};

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A database of its own, gone with the value.
pub(super) struct Scene {
    url: Secret,
    zone: Option<Zone>,
    _dir: tempfile::TempDir,
}

pub(super) async fn sqlite() -> Option<Scene> {
    let dir = tempfile::tempdir().unwrap();
    let url = Secret::new(format!("sqlite://{}/t.db", dir.path().display()));
    Some(Scene { url, zone: None, _dir: dir })
}

/// `None` where no server was given; scripts/test gives one, and CI fails without.
pub(super) async fn mariadb() -> Option<Scene> {
    let Ok(root) = std::env::var("WXOPS_TEST_DATABASE_URL_MARIADB") else {
        assert!(std::env::var_os("CI").is_none(), "WXOPS_TEST_DATABASE_URL_MARIADB is not set in CI");
        let why = "the store on MariaDB: WXOPS_TEST_DATABASE_URL_MARIADB is not set (scripts/test sets it)";
        eprintln!("SKIPPED: {why}");
        if let Some(list) = std::env::var_os("WXOPS_TEST_SKIPS") {
            use std::io::Write;
            let mut list = std::fs::OpenOptions::new().append(true).create(true).open(list).unwrap();
            writeln!(list, "{why}").unwrap();
        }
        return None;
    };
    let name = format!("store_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let pool = sqlx::MySqlPool::connect(&root).await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&pool).await.unwrap();
    pool.close().await;
    let url = Secret::new(format!("{}/{name}", root.trim_end_matches('/')));
    Some(Scene { url, zone: None, _dir: tempfile::tempdir().unwrap() })
}

/// The same, with a `user_mapping` of another program that was taken over: times at +08:00 in whole seconds.
async fn taken_over() -> Option<Scene> {
    let scene = mariadb().await?;
    let pool = sqlx::MySqlPool::connect(scene.url.reveal()).await.unwrap();
    sqlx::query(
        "CREATE TABLE user_mapping (id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, openid VARCHAR(128) NOT NULL, \
         nickname VARCHAR(64) NOT NULL, is_followed BIT(1), follow_time DATETIME, unfollow_time DATETIME, \
         created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, \
         updated_at DATETIME DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP) \
         CHARSET utf8mb3 COLLATE utf8mb3_general_ci",
    )
    .execute(&pool)
    .await
    .unwrap();
    pool.close().await;
    let zone = chrono::FixedOffset::east_opt(8 * 3600).map(Zone::from);
    let options = Options { zone, ..Options::default() };
    let store = Store::open(&scene.url, options).await.unwrap();
    assert!(store.adopt("main", &["main"]).await.unwrap().unwrap().problems.is_empty());
    Some(Scene { zone, ..scene })
}

impl Scene {
    pub(super) async fn open(&self) -> Store {
        let options = Options { migrate: true, create: true, zone: self.zone };
        let store = Store::open(&self.url, options).await.unwrap();
        store.migrate().await.unwrap();
        store.check_schema().await.unwrap();
        store
    }

    async fn serve(&self) -> (Store, InHand) {
        drop(self.open().await);
        Store::serve(&self.url, Options { migrate: false, create: false, zone: self.zone }).await.unwrap()
    }
}

macro_rules! on_both {
    ($($name:ident),* $(,)?) => {$(
        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                let Some(scene) = super::sqlite().await else { return };
                super::stories::$name(&scene).await;
            }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_mariadb() {
                let Some(scene) = super::mariadb().await else { return };
                super::stories::$name(&scene).await;
            }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_a_table_taken_over() {
                let Some(scene) = super::taken_over().await else { return };
                super::stories::$name(&scene).await;
            }
        }
    )*};
}

on_both! {
    migrates_twice_and_by_two_at_once,
    identifiers_are_case_sensitive_and_names_take_emoji,
    duplicates_are_one_row_and_both_are_answered,
    rows_come_in_hand_and_are_settled_once,
    what_nobody_acts_on_is_done_at_once,
    a_batch_writes_what_single_settlements_write,
    positions_come_in_any_order,
    a_copy_is_of_one_state,
    one_bad_row_does_not_fail_the_others,
    a_failed_row_is_due_again_then_dead_then_replayed,
    two_claims_share_no_row,
    times_keep_milliseconds,
    every_order_gives_the_same_rows,
    an_unfollow_blanks_what_is_known,
    a_follow_and_unfollow_in_one_second_asks_the_platform,
    nothing_is_written_after_the_lease_is_taken_away,
    an_empty_field_never_erases_a_known_one,
    a_later_generation_is_never_overwritten,
    refusals_of_tokens_are_remembered,
    a_hold_is_kept_until_it_is_ended,
    forced_refreshes_are_counted,
    a_lease_is_held_by_one,
    a_run_goes_on_where_one_ended,
    runs_of_a_job_do_not_fill_the_disk,
    a_paused_channel_lets_one_probe_pass,
    a_clear_is_written_before_it_is_asked_for,
    a_refusal_stands_once_a_day,
    marks_and_accounts_are_not_mixed,
    callbacks_are_found_around_a_moment,
    an_alarm_is_told_by_one,
    a_lock_tells_who_has_it,
    figures_at_a_glance,
    a_row_that_changed_since_is_left_alone,
}

fn at(second: i64) -> chrono::DateTime<Utc> {
    Utc.timestamp_opt(1_735_660_800 + second, 0).unwrap()
}

fn event(kind: &str, openid: &str, second: i64) -> Event {
    let (msg_type, name) = kind.split_once('.').map_or((kind, None), |(t, n)| (t, Some(n)));
    let key = Element { name: "EventKey".into(), text: "qrscene_a".into(), children: vec![] };
    Event {
        to_user: "gh_1".into(),
        from_user: openid.into(),
        created: 1_735_660_800 + second,
        kind: Kind::of(if msg_type == "event" { "event" } else { "text" }, name),
        msg_id: None,
        root: Element { name: "xml".into(), text: String::new(), children: vec![key] },
    }
}

fn arrival(n: u32, openid: &str, second: i64) -> Arrival {
    let mut key = [0; 32];
    // Both ends differ: the first is what the index sorts by, the last what is remembered.
    key[..4].copy_from_slice(&n.to_be_bytes());
    key[28..].copy_from_slice(&n.to_be_bytes());
    Arrival::new("main".into(), key, event("event.subscribe", openid, second), format!("<xml>{n} 🎮</xml>"), at(second))
}

/// user/info was asked; meanwhile the other program has written that the person left.
#[tokio::test]
async fn a_profile_is_not_written_over_what_another_program_wrote() {
    let Some(scene) = taken_over().await else { return };
    let store = scene.open().await;
    store.commit(store.follow("main", "oA", at(1), None, 0)).await.unwrap();
    let due = store.claim_due("main", 1, 1).await.unwrap().pop().unwrap();
    let java = sqlx::MySqlPool::connect(scene.url.reveal()).await.unwrap();
    let left = "UPDATE user_mapping SET is_followed = 0, unfollow_time = '2025-01-01 00:00:05', nickname = '' WHERE openid = 'oA'";
    sqlx::query(left).execute(&java).await.unwrap();
    let profile = Profile { nickname: Some("A".into()), follow_time: Some(at(1)), ..Profile::default() };
    assert_eq!(store.commit(vec![store.enrich(&due, &profile)]).await.unwrap(), [0]);
    let row = store.follower("main", "oA").await.unwrap().unwrap();
    assert_eq!((row.is_followed, row.nickname.as_deref(), row.unfollow_time), (false, Some(""), Some(at(5))));
}

/// The two tables say the same columns in the same order.
#[tokio::test]
async fn the_two_schemas_have_the_same_tables_and_columns() {
    let (Some(a), Some(b)) = (sqlite().await, mariadb().await) else { return };
    let (a, b) = (a.open().await, b.open().await);
    let tables = "SELECT m.name || '.' || c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c \
                  WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE '\\_sqlx%' ESCAPE '\\' ORDER BY 1";
    let mut one = a.rows(tables, vec![], |row| row.text(0)).await.unwrap();
    let columns = "SELECT CONCAT(table_name, '.', column_name) FROM information_schema.columns \
                   WHERE table_schema = DATABASE() AND table_name NOT LIKE '\\_sqlx%' ORDER BY 1";
    let mut two = b.rows(columns, vec![], |row| row.text(0)).await.unwrap();
    one.sort();
    two.sort();
    assert!(one.len() > 50, "{one:?}");
    assert_eq!(one, two);
}

/// An unsubscribe that is not committed yet has looked through the inbox already: what arrives behind its
/// back is blanked all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unsubscribe_under_way_blanks_what_arrives() {
    let Some(scene) = mariadb().await else { return };
    let (store, _hand) = scene.serve().await;
    store.commit(store.follow("main", "oA", at(1), None, 0)).await.unwrap();
    let mut other = sqlx::MySqlConnection::connect(scene.url.reveal()).await.unwrap();
    sqlx::query("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED").execute(&mut other).await.unwrap();
    let mut leaving = other.begin().await.unwrap();
    for sql in [
        "UPDATE user_mapping SET is_followed = 0, erased_to = '2030-01-01' WHERE account = 'main' AND openid = 'oA'",
        "UPDATE inbox_event SET raw = NULL WHERE account = 'main' AND openid = 'oA'",
    ] {
        sqlx::query(sql).execute(&mut *leaving).await.unwrap();
    }
    let Stored::Done { id } = store.arrive(arrival(1, "oA", 2).acting(false)).await.unwrap() else { panic!() };
    leaving.commit().await.unwrap();
    assert_eq!(store.inbox_event(id).await.unwrap().unwrap().raw, None);
}

mod stories {
    use super::value::stmt;
    use super::*;

    pub async fn a_batch_writes_what_single_settlements_write(scene: &Scene) {
        let (store, mut hand) = scene.serve().await;
        let scenes = [None, Some("a"), Some("店 & \"b\" 🎮\\"), Some("c")];
        let (mut together, mut n) = (Vec::new(), 0);
        for _ in 0..300 {
            let openid = format!("o{}", rand::random_range(0..40));
            let (kind, second) = (rand::random_range(0..4), rand::random_range(0..6));
            let (scene, due) = (scenes[rand::random_range(0..4)], rand::random_range(1..9));
            for account in ["together", "alone"] {
                n += 1;
                let mut arrival = arrival(n, &openid, second);
                arrival.account = account.into();
                store.arrive(arrival).await.unwrap();
                let row = hand.next().await.unwrap().pop().unwrap();
                let effects = match kind {
                    0 => store.follow(account, &openid, at(second), scene, due),
                    1 => store.scan(account, &openid, at(second), scene, due),
                    2 => store.locate(&located(account, &openid, second, f64::from(due as i32))),
                    _ => store.unfollow(account, &openid, at(second), true, due),
                };
                let settled = Settled { id: row.id, lease: row.lease, outcome: Outcome::Done(effects) };
                match account {
                    "alone" => assert_eq!(store.settle(vec![settled]).await.unwrap(), [End::Settled]),
                    _ => together.push(settled),
                }
            }
        }
        assert!(store.settle(together).await.unwrap().iter().all(|end| *end == End::Settled));
        let people = "SELECT openid, is_followed, follow_time, unfollow_time, qr_scene, qr_scene_time, info_due_at, \
                      erased_at IS NULL, info_lease FROM user_mapping WHERE account = ? ORDER BY openid";
        let events =
            "SELECT openid, raw IS NULL, state FROM inbox_event WHERE account = ? ORDER BY openid, event_time, id";
        let mut tables = Vec::new();
        for account in ["together", "alone"] {
            let people = store.rows(people, vec![account.into()], |row| {
                let times = [row.opt_time(2)?, row.opt_time(3)?, row.opt_time(5)?];
                let numbers = [row.opt_int(1)?, row.opt_int(6)?, row.opt_int(7)?, row.opt_int(8)?];
                Ok(format!("{} {numbers:?} {times:?} {:?}", row.text(0)?, row.opt_text(4)?))
            });
            let events = store.rows(events, vec![account.into()], |row| {
                Ok(format!("{} {} {}", row.text(0)?, row.int(1)?, row.text(2)?))
            });
            tables.push((people.await.unwrap(), events.await.unwrap(), positions(&store, account).await));
        }
        assert!(tables[0].2.len() > 10, "{tables:?}");
        assert!(tables[0].0.len() > 30 && tables[0].0.iter().any(|row| row.contains("🎮")), "{tables:?}");
        assert_eq!(tables[0], tables[1]);
    }

    fn located(account: &str, openid: &str, second: i64, degrees: f64) -> Position {
        let place = Place::new(degrees, -degrees).unwrap();
        let (account, openid, precision) = (account.to_owned(), openid.to_owned(), (degrees > 4.0).then_some(119.5));
        Position { account, openid, place, precision, at: at(second), expires_at: at(second).timestamp_millis() + 5 }
    }

    /// What the two tables of positions say of an account.
    async fn positions(store: &Store, account: &str) -> Vec<String> {
        let known = "SELECT openid, latitude, longitude, `precision`, at, expires_at, cell FROM location \
                     WHERE account = ? ORDER BY openid";
        let gone = "SELECT openid, at FROM location_gone WHERE account = ? ORDER BY openid, at";
        let rows = store.rows(known, vec![account.into()], |row| {
            let place = (row.real(1)?, row.real(2)?, row.opt_real(3)?);
            Ok(format!("{} {place:?} {} {} {}", row.text(0)?, row.time(4)?, row.int(5)?, row.int(6)?))
        });
        let mut rows = rows.await.unwrap();
        let gone = store.rows(gone, vec![account.into()], |row| Ok(format!("{} {}", row.text(0)?, row.time(1)?)));
        rows.extend(gone.await.unwrap());
        rows
    }

    /// Positions and departures of a person give the same position in whatever order they come.
    pub async fn positions_come_in_any_order(scene: &Scene) {
        let store = scene.open().await;
        let mut seen = Vec::new();
        for round in 0..24 {
            let openid = format!("o{round:02}");
            let mut all: Vec<Vec<Statement>> = [(1, 1.0), (3, 7.0), (3, 2.0), (5, 4.0), (4, 9.0)]
                .map(|(second, degrees)| store.locate(&located("main", &openid, second, degrees)))
                .into();
            all.push(store.unfollow("main", &openid, at(4), round % 2 == 0, 0));
            if round % 3 == 0 {
                all.push(store.forget_location("main", &openid, at(5), 0));
            }
            for _ in 0..20 {
                let (one, other) = (rand::random_range(0..all.len()), rand::random_range(0..all.len()));
                all.swap(one, other);
            }
            for statements in all {
                store.commit(statements).await.unwrap();
            }
            seen.push((round % 3 == 0, store.locations_of("main", &[openid]).await.unwrap()));
        }
        for (forgotten, found) in seen {
            match &found[..] {
                [] => assert!(forgotten),
                [one] => assert!(!forgotten && one.place.latitude == 4.0 && one.at == at(5), "{one:?}"),
                _ => panic!("{found:?}"),
            }
        }
        // Of two in one second the greater stands.
        for degrees in [2.0, 9.5, 3.0] {
            store.commit(store.locate(&located("main", "oTie", 1, degrees))).await.unwrap();
        }
        assert_eq!(store.locations_of("main", &["oTie".into()]).await.unwrap()[0].place.latitude, 9.5);
    }

    async fn gone_known(store: &Store) -> i64 {
        store.row("SELECT COUNT(*) FROM location_gone", vec![], |row| row.int(0)).await.unwrap().unwrap()
    }

    /// What changes while it is copied stays due.
    pub async fn a_copy_is_of_one_state(scene: &Scene) {
        let store = scene.open().await;
        for openid in ["oA", "oB", "oC"] {
            store.commit(store.locate(&located("main", openid, 1, 2.0))).await.unwrap();
        }
        let read = store.uncopied(10).await.unwrap();
        assert_eq!(read.len(), 3);
        store.commit(store.locate(&located("main", "oB", 1, 3.0))).await.unwrap();
        store.commit(store.unfollow("main", "oC", at(2), true, 7)).await.unwrap();
        store.copied(&read).await.unwrap();
        let left: Vec<String> = store.uncopied(10).await.unwrap().into_iter().map(|one| one.openid).collect();
        assert_eq!((left, store.copies_due(10).await.unwrap()), (vec!["oB".to_owned()], (1, 1)));
        // Removed twice, the second time a minute later.
        let gone = store.gone_due(7, 10).await.unwrap();
        store.removed(&gone, 7).await.unwrap();
        assert_eq!((gone.len(), store.gone_due(60_006, 10).await.unwrap().len()), (1, 0));
        store.removed(&store.gone_due(60_007, 10).await.unwrap(), 60_007).await.unwrap();
        assert_eq!(store.gone_due(i64::MAX, 10).await.unwrap(), []);
        store.tidy_gone(86_400_007, i64::MAX / 2).await.unwrap();
        assert_eq!(gone_known(&store).await, 1, "known for a day");
        store.tidy_gone(86_400_008, i64::MAX / 2).await.unwrap();
        assert_eq!(gone_known(&store).await, 0);
    }

    pub async fn what_nobody_acts_on_is_done_at_once(scene: &Scene) {
        let (store, _hand) = scene.serve().await;
        store.commit(store.unfollow("main", "oLeft", at(5), true, 0)).await.unwrap();
        let mut stored = Vec::new();
        for (n, openid, second) in [(1, "oStays", 1), (2, "oLeft", 5), (3, "oLeft", 6), (1, "oStays", 1)] {
            stored.push(store.arrive(arrival(n, openid, second).acting(false)).await.unwrap());
        }
        assert_eq!(stored.pop(), Some(Stored::Duplicate));
        let mut rows = Vec::new();
        for stored in stored {
            let Stored::Done { id } = stored else { panic!("{stored:?}") };
            rows.push(store.inbox_event(id).await.unwrap().unwrap());
        }
        assert!(rows.iter().all(|row| row.state == "done"), "{rows:?}");
        let kept: Vec<bool> = rows.iter().map(|row| row.raw.is_some()).collect();
        assert_eq!(kept, [true, false, true], "what happened before they left is blanked");
        assert!(store.claim_inbox(10, i64::MAX).await.unwrap().is_empty());
        // A replay that fails for good brings no message back, nor keeps one that came in beside the leaving.
        store.arrive(arrival(4, "oLeft", 4)).await.unwrap();
        store
            .commit(vec![stmt!("UPDATE inbox_event SET raw = 'late', lease_until = 0 WHERE state = 'new'")])
            .await
            .unwrap();
        let row = store.claim_inbox(10, i64::MAX).await.unwrap().pop().unwrap();
        let dead = Outcome::Dead { error: "no".into() };
        store.settle(vec![Settled { id: row.id, lease: row.lease, outcome: dead }]).await.unwrap();
        let row = store.inbox_event(row.id).await.unwrap().unwrap();
        assert_eq!((row.state.as_str(), row.raw), ("dead", None));
        // Done is not the end: it can be handled again.
        assert!(store.replay_inbox(rows[0].id, 0).await.unwrap());
        assert_eq!(store.claim_inbox(10, i64::MAX).await.unwrap().len(), 1);
    }

    pub async fn migrates_twice_and_by_two_at_once(scene: &Scene) {
        let options = Options { create: true, zone: scene.zone, ..Options::default() };
        let a = Store::open(&scene.url, options).await.unwrap();
        assert!(a.schema().await.unwrap().pending());
        assert_eq!(a.check_schema().await.unwrap_err().kind, crate::error::Kind::Config);
        let b = Store::open(&scene.url, options).await.unwrap();
        let (one, two) = tokio::join!(a.migrate(), b.migrate());
        one.unwrap();
        two.unwrap();
        a.migrate().await.unwrap();
        a.check_schema().await.unwrap();
        let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'x', 1, 'x', 0)";
        a.commit(vec![Statement { sql: newer.into(), args: vec![] }]).await.unwrap();
        let error = a.check_schema().await.unwrap_err();
        assert_eq!(error.kind, crate::error::Kind::Config);
        assert!(error.to_string().contains("9999"), "{error}");
    }

    pub async fn identifiers_are_case_sensitive_and_names_take_emoji(scene: &Scene) {
        let store = scene.open().await;
        for openid in ["oAbc", "oabc"] {
            store.commit(store.follow("main", openid, at(1), None, 0)).await.unwrap();
        }
        for due in store.claim_due("main", 10, 0).await.unwrap() {
            let profile =
                Profile { nickname: Some(format!("{} 👨‍👩‍👧 ", due.openid)), ..Profile::default() };
            assert_eq!(store.commit(vec![store.enrich(&due, &profile)]).await.unwrap(), [1]);
        }
        assert_eq!(store.follower("main", "oAbc").await.unwrap().unwrap().nickname.unwrap(), "oAbc 👨‍👩‍👧 ");
        assert_eq!(store.follower("main", "oabc").await.unwrap().unwrap().nickname.unwrap(), "oabc 👨‍👩‍👧 ");
        assert!(store.follower("main", "OABC").await.unwrap().is_none());
    }

    pub async fn duplicates_are_one_row_and_both_are_answered(scene: &Scene) {
        let (store, _hand) = scene.serve().await;
        let copies = (0..40).map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.arrive(arrival(7, "oA", 1)).await.unwrap() })
        });
        let mut new = 0;
        for copy in copies.collect::<Vec<_>>() {
            new += usize::from(copy.await.unwrap() == Stored::New);
        }
        assert_eq!(new, 1);
        assert_eq!(store.inbox_page(&InboxFilter::default(), 100).await.unwrap().len(), 1);
    }

    pub async fn rows_come_in_hand_and_are_settled_once(scene: &Scene) {
        let (store, mut hand) = scene.serve().await;
        store.arrive(arrival(1, "oA", 1)).await.unwrap();
        let row = hand.next().await.unwrap().pop().unwrap();
        assert!(matches!(row.body, Body::Parsed(_)));
        assert!(store.claim_inbox(10, i64::MAX).await.unwrap().is_empty(), "a leased row was claimed");
        let effects = store.follow("main", "oA", at(1), Some("s"), 5);
        let done = Settled { id: row.id, lease: row.lease, outcome: Outcome::Done(effects) };
        assert_eq!(store.settle(vec![done.clone()]).await.unwrap(), [End::Settled]);
        assert_eq!(store.settle(vec![done]).await.unwrap(), [End::NotOurs]);
        let user = store.follower("main", "oA").await.unwrap().unwrap();
        assert_eq!((user.is_followed, user.qr_scene.as_deref(), user.info_due_at), (true, Some("s"), Some(5)));
        assert_eq!(store.inbox_event(row.id).await.unwrap().unwrap().state, "done");
    }

    pub async fn one_bad_row_does_not_fail_the_others(scene: &Scene) {
        let (store, mut hand) = scene.serve().await;
        let mut rows = Vec::new();
        for n in 0..5 {
            store.arrive(arrival(n, "oA", 1)).await.unwrap();
            rows.extend(hand.next().await.unwrap());
        }
        let bad = Statement { sql: "INSERT INTO user_mapping (account) VALUES (NULL)".into(), args: vec![] };
        let settled = rows.iter().enumerate().map(|(n, row)| {
            let outcome = Outcome::Done(if n == 2 { vec![bad.clone()] } else { vec![] });
            Settled { id: row.id, lease: row.lease, outcome }
        });
        let ends = store.settle(settled.collect()).await.unwrap();
        assert!(matches!(ends[2], End::Failed(_)), "{ends:?}");
        assert_eq!(ends.iter().filter(|end| **end == End::Settled).count(), 4);
        assert_eq!(store.inbox_counts().await.unwrap().0, 1);
    }

    pub async fn a_failed_row_is_due_again_then_dead_then_replayed(scene: &Scene) {
        let (store, mut hand) = scene.serve().await;
        store.arrive(arrival(1, "oA", 1)).await.unwrap();
        let row = hand.next().await.unwrap().pop().unwrap();
        let later = at(1).timestamp_millis() + 5000;
        let again = Outcome::Again { due_at: later, error: "坏 nickname".into() };
        store.settle(vec![Settled { id: row.id, lease: row.lease, outcome: again }]).await.unwrap();
        assert!(store.claim_inbox(10, later - 1).await.unwrap().is_empty());
        let row = store.claim_inbox(10, later).await.unwrap().pop().unwrap();
        assert_eq!(row.attempts, 1);
        assert!(matches!(&row.body, Body::Raw(Some(raw)) if raw.contains('🎮')));
        let dead = Outcome::Dead { error: "no".into() };
        store.settle(vec![Settled { id: row.id, lease: row.lease, outcome: dead }]).await.unwrap();
        assert_eq!(store.inbox_counts().await.unwrap().1, 1);
        assert!(store.replay_inbox(row.id, later).await.unwrap());
        assert_eq!(store.claim_inbox(10, later).await.unwrap().len(), 1);
        assert!(!store.replay_inbox(999, later).await.unwrap());
    }

    pub async fn two_claims_share_no_row(scene: &Scene) {
        let store = scene.open().await;
        for n in 0..200 {
            store.arrive(arrival(n, "oA", 1)).await.unwrap();
        }
        let claims = (0..8).map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut mine = Vec::new();
                for _ in 0..10 {
                    mine.extend(store.claim_inbox(20, i64::MAX).await.unwrap().into_iter().map(|row| row.id));
                }
                mine
            })
        });
        let mut all = Vec::new();
        for claim in claims.collect::<Vec<_>>() {
            all.extend(claim.await.unwrap());
        }
        all.sort_unstable();
        let claimed = all.len();
        all.dedup();
        assert_eq!((claimed, all.len()), (200, 200));
    }

    pub async fn times_keep_milliseconds(scene: &Scene) {
        let store = scene.open().await;
        let time = Utc.timestamp_millis_opt(1_735_660_800_987).unwrap();
        store.commit(store.follow("main", "oA", time, None, 0)).await.unwrap();
        // A table that another program made may keep whole seconds.
        let kept = if scene.zone.is_some() { Utc.timestamp_millis_opt(1_735_660_800_000).unwrap() } else { time };
        assert_eq!(store.follower("main", "oA").await.unwrap().unwrap().follow_time, Some(kept));
    }

    /// What the rows say once user/info has been asked: the platform knows the person as `followed`.
    async fn settle_info(store: &Store, followed: bool) -> Follower {
        while let Some(due) = store.claim_due("main", 1, i64::MAX).await.unwrap().pop() {
            let profile = Profile { nickname: Some("N".into()), ..Profile::default() };
            let write = if followed {
                vec![store.enrich(&due, &profile)]
            } else {
                store.gone(&due, Some(Beside { stores: "{}", hooks: false }))
            };
            store.commit(write).await.unwrap();
        }
        let mut row = store.follower("main", "oA").await.unwrap().unwrap();
        (row.id, row.created_at, row.updated_at) = (0, None, None);
        row.erased_at = row.erased_at.map(|_| at(0));
        row
    }

    pub async fn every_order_gives_the_same_rows(scene: &Scene) {
        let store = scene.open().await;
        // (kind, second, scene); the last of them in time decides whether the platform says "follows".
        let histories: &[&[(&str, i64, Option<&str>)]] = &[
            &[("follow", 1, Some("a")), ("unfollow", 2, None), ("follow", 3, None)],
            &[("follow", 1, Some("a")), ("scan", 2, Some("b")), ("unfollow", 3, None)],
            &[("follow", 1, Some("a")), ("unfollow", 2, None), ("follow", 3, Some("c")), ("scan", 3, Some("b"))],
            &[("scan", 1, Some("x")), ("unfollow", 2, None), ("follow", 4, Some("y")), ("unfollow", 6, None)],
        ];
        for history in histories {
            let follows = history.last().unwrap().0 != "unfollow";
            let mut seen: Option<Follower> = None;
            for order in permutations(history.len()) {
                store.commit(vec![Statement { sql: "DELETE FROM user_mapping".into(), args: vec![] }]).await.unwrap();
                for (turn, step) in order.iter().enumerate() {
                    let (kind, second, scene) = history[*step];
                    let statements = match kind {
                        "follow" => store.follow("main", "oA", at(second), scene, 0),
                        "scan" => store.scan("main", "oA", at(second), scene, 0),
                        _ => store.unfollow("main", "oA", at(second), true, 0),
                    };
                    store.commit(statements.clone()).await.unwrap();
                    store.commit(statements).await.unwrap(); // delivered twice
                    if turn == 1 {
                        settle_info(&store, follows).await; // user/info answers in between, too
                    }
                }
                let row = settle_info(&store, follows).await;
                assert_eq!(row.is_followed, follows, "{history:?} in order {order:?}");
                match &seen {
                    None => seen = Some(row),
                    Some(first) => assert_eq!(&row, first, "{history:?} in order {order:?}"),
                }
            }
        }
    }

    fn permutations(n: usize) -> Vec<Vec<usize>> {
        if n == 0 {
            return vec![vec![]];
        }
        let shorter = permutations(n - 1);
        let insert = |p: &Vec<usize>, at: usize| {
            let mut p = p.clone();
            p.insert(at, n - 1);
            p
        };
        shorter.iter().flat_map(|p| (0..n).map(move |at| insert(p, at))).collect()
    }

    pub async fn an_unfollow_blanks_what_is_known(scene: &Scene) {
        let (store, mut hand) = scene.serve().await;
        store.arrive(arrival(1, "oA", 1)).await.unwrap();
        store.arrive(arrival(2, "oA", 9)).await.unwrap();
        store.arrive(arrival(3, "oB", 1)).await.unwrap();
        store.commit(store.follow("main", "oA", at(1), Some("s"), 0)).await.unwrap();
        let due = store.claim_due("main", 1, 0).await.unwrap().pop().unwrap();
        let profile = Profile { nickname: Some("N".into()), city: Some("C".into()), ..Profile::default() };
        let tag = Statement { sql: "INSERT INTO user_tag VALUES ('main', 'oA', 1)".into(), args: vec![] };
        store.commit(vec![store.enrich(&due, &profile), tag]).await.unwrap();

        store.commit(store.unfollow("main", "oA", at(5), true, 0)).await.unwrap();
        let row = store.follower("main", "oA").await.unwrap().unwrap();
        assert!(!row.is_followed && row.erased_at.is_some());
        assert_eq!((row.nickname, row.city, row.qr_scene, row.info_due_at), (None, None, None, None));
        assert_eq!((row.follow_time, row.unfollow_time), (Some(at(1)), Some(at(5))));
        let tags = store.rows("SELECT 1 FROM user_tag", vec![], |row| row.int(0)).await.unwrap();
        assert!(tags.is_empty());
        let raws = store.inbox_after(&InboxFilter::default(), 10).await.unwrap();
        assert_eq!(raws.iter().map(|row| row.raw.is_some()).collect::<Vec<_>>(), [false, true, true]);
        assert!(!store.replay_inbox(raws[0].id, 0).await.unwrap(), "an erased callback was replayed");

        // A callback from before that is settled only now is blanked as well.
        store.arrive(arrival(4, "oA", 3)).await.unwrap();
        let mut last = hand.next().await.unwrap();
        while last.iter().all(|row| row.happened != at(3)) {
            last = hand.next().await.unwrap();
        }
        let row = last.pop().unwrap();
        let done = Settled { id: row.id, lease: row.lease, outcome: Outcome::Done(vec![]) };
        store.settle(vec![done]).await.unwrap();
        assert_eq!(store.inbox_event(row.id).await.unwrap().unwrap().raw, None);
    }

    pub async fn a_follow_and_unfollow_in_one_second_asks_the_platform(scene: &Scene) {
        let store = scene.open().await;
        for follows in [true, false] {
            store.commit(store.follow("main", "oA", at(1), None, 0)).await.unwrap();
            store.commit(store.unfollow("main", "oA", at(1), true, 0)).await.unwrap();
            assert!(
                !store.follower("main", "oA").await.unwrap().unwrap().is_followed,
                "unfollow wins until it is known"
            );
            assert_eq!(settle_info(&store, follows).await.is_followed, follows);
            store.commit(vec![Statement { sql: "DELETE FROM user_mapping".into(), args: vec![] }]).await.unwrap();
        }
    }

    pub async fn nothing_is_written_after_the_lease_is_taken_away(scene: &Scene) {
        let store = scene.open().await;
        let profile = Profile { nickname: Some("N".into()), ..Profile::default() };
        for second in [1, 5] {
            store.commit(store.follow("main", "oA", at(1), None, 0)).await.unwrap();
            let due = store.claim_due("main", 1, 0).await.unwrap().pop().unwrap();
            store.commit(store.unfollow("main", "oA", at(second), true, 0)).await.unwrap();
            assert_eq!(store.commit(vec![store.enrich(&due, &profile)]).await.unwrap(), [0]);
            assert_eq!(store.follower("main", "oA").await.unwrap().unwrap().nickname, None);
            store.commit(vec![Statement { sql: "DELETE FROM user_mapping".into(), args: vec![] }]).await.unwrap();
        }
    }

    pub async fn an_empty_field_never_erases_a_known_one(scene: &Scene) {
        let store = scene.open().await;
        for (second, nickname) in [(1, Some("N".to_owned())), (2, None)] {
            store.commit(store.follow("main", "oA", at(second), None, 0)).await.unwrap();
            let due = store.claim_due("main", 1, 0).await.unwrap().pop().unwrap();
            let profile = Profile { nickname, ..Profile::default() };
            store.commit(vec![store.enrich(&due, &profile)]).await.unwrap();
        }
        assert_eq!(store.follower("main", "oA").await.unwrap().unwrap().nickname.as_deref(), Some("N"));
    }

    pub async fn a_later_generation_is_never_overwritten(scene: &Scene) {
        let store = scene.open().await;
        let (a, b, late) = (Secret::new("A"), Secret::new("B"), Secret::new("late"));
        let token = |text, end, overlap_ms| NewToken {
            text,
            expires_at: Some(end),
            life_ms: Some(7_200_000),
            overlap_ms,
            source: "token",
            who: "me",
            now_ms: 1_000_000,
        };
        assert!(store.store_token("main", 0, &token(&a, 9_000_000, 300_000)).await.unwrap());
        assert!(!store.store_token("main", 0, &token(&late, 9_000_000, 300_000)).await.unwrap());
        let stored = store.stored_token("main").await.unwrap();
        assert_eq!((stored.token.unwrap().reveal(), stored.generation), ("A", 1));
        let previous = async || {
            let previous = store.stored_token("main").await.unwrap().previous;
            previous.map(|(text, until)| (text.reveal().to_owned(), until))
        };
        assert_eq!(previous().await, None);
        // The one before works on for 5 minutes, and never beyond its own end.
        assert!(store.store_token("main", 1, &token(&b, 1_200_000, 300_000)).await.unwrap());
        assert_eq!(previous().await, Some(("A".to_owned(), 1_300_000)));
        assert!(store.store_token("main", 2, &token(&a, 9_000_000, 300_000)).await.unwrap());
        assert_eq!(previous().await, Some(("B".to_owned(), 1_200_000)));
        // One that was made by force has killed it.
        assert!(store.store_token("main", 3, &token(&late, 9_000_000, 0)).await.unwrap());
        assert_eq!(previous().await, None);
        assert!(store.forget_token("main", 4, "me").await.unwrap());
        assert!(store.stored_token("main").await.unwrap().token.is_none());
    }

    pub async fn refusals_of_tokens_are_remembered(scene: &Scene) {
        let store = scene.open().await;
        let text = Secret::new("A");
        let new = NewToken {
            text: &text,
            expires_at: None,
            life_ms: None,
            overlap_ms: 0,
            source: "token set",
            who: "h:1",
            now_ms: 5_000,
        };
        assert!(store.store_token("main", 0, &new).await.unwrap());
        let refusal = |second, api: &str| TokenRefusal {
            at: DateTime::from_timestamp(second, 0).unwrap(),
            code: Some(40001),
            api: api.to_owned(),
            rid: None,
            who: "h:2".to_owned(),
        };
        store.token_refused("main", 1, &refusal(7, "user/info")).await.unwrap();
        store.token_refused("main", 1, &refusal(8, "user/get")).await.unwrap();
        store.token_refused("main", 9, &refusal(8, "user/get")).await.unwrap();
        let past = store.past_tokens("main", 10).await.unwrap();
        assert_eq!((past.len(), past[0].generation, past[0].refusals), (1, 1, 2));
        assert_eq!(past[0].refused, Some(refusal(7, "user/info")), "the first time");
        assert_eq!((past[0].source.as_str(), past[0].stored_at.timestamp_millis()), ("token set", 5_000));
        assert_eq!(past[0].digest, crate::domain::token::digest(&text));
    }

    pub async fn a_hold_is_kept_until_it_is_ended(scene: &Scene) {
        let store = scene.open().await;
        let hold = Hold { until: 700, code: 89_503, reason: "confirm".to_owned(), secret: "d".to_owned() };
        store.hold_token("main", &hold).await.unwrap();
        assert_eq!(scene.open().await.stored_token("main").await.unwrap().hold, Some(hold));
        assert!(store.release_token("main").await.unwrap());
        assert!(!store.release_token("main").await.unwrap());
        assert_eq!(store.stored_token("main").await.unwrap().hold, None);
    }

    pub async fn forced_refreshes_are_counted(scene: &Scene) {
        let store = scene.open().await;
        let minute = 60_000;
        assert!(store.count_forced("main", 10 * minute, 1, 2).await.unwrap());
        assert!(!store.count_forced("main", 10 * minute + 59_999, 1, 2).await.unwrap(), "within a minute");
        assert!(store.count_forced("main", 11 * minute, 1, 2).await.unwrap());
        assert!(!store.count_forced("main", 20 * minute, 1, 2).await.unwrap(), "a third of the day");
        assert!(store.count_forced("main", 20 * minute, 2, 2).await.unwrap());
    }

    pub async fn a_lease_is_held_by_one(scene: &Scene) {
        let store = scene.open().await;
        let held = store.acquire("job", "me").await.unwrap().unwrap();
        assert!(store.acquire("job", "other").await.unwrap().is_none());
        assert!(store.renew(&held).await.unwrap());
        store.release(&held).await.unwrap();
        assert!(store.acquire("job", "other").await.unwrap().is_some());
        assert!(!store.renew(&held).await.unwrap());
    }

    const SYNC: (&str, &str) = ("followers sync", "main");
    const DAY: Option<std::time::Duration> = Some(std::time::Duration::from_secs(86_400));

    async fn end(store: &Store, id: i64, outcome: JobOutcome, second: i64) {
        let lease = store.acquire("job:followers sync:main", "me").await.unwrap().unwrap();
        let exit_code = if outcome == JobOutcome::Ok { 0 } else { 69 };
        let end = RunEnd { at: at(second), outcome, exit_code, counts: "{\"seen\":5}", error: Some("why 🎮") };
        store.end_run(id, &end, &lease).await.unwrap();
        assert!(store.acquire("job:followers sync:main", "other").await.unwrap().is_some(), "given back with it");
        store.commit(vec![stmt!("DELETE FROM lease")]).await.unwrap();
    }

    pub async fn a_run_goes_on_where_one_ended(scene: &Scene) {
        let store = scene.open().await;
        let first = store.begin_run(SYNC, "h:1", at(0), DAY).await.unwrap();
        assert_eq!((first.run.origin, first.began, first.run.checkpoint.as_deref()), (first.run.id, at(0), None));
        assert_eq!(store.running_since(SYNC.0, SYNC.1).await.unwrap(), Some(at(0)));
        let saved = store.checkpoint_run(first.run.id, Some("{\"next\":\"oB\"}"), "{\"seen\":3}", at(9));
        assert_eq!(store.commit(vec![saved]).await.unwrap(), [1]);

        // It was killed. The next one has its checkpoint and counts, and dies before it writes one of its own.
        let second = store.begin_run(SYNC, "h:2", at(20), DAY).await.unwrap();
        assert_eq!(store.run(first.run.id).await.unwrap().unwrap().outcome, JobOutcome::Killed);
        assert_eq!((second.run.origin, second.began), (first.run.id, at(0)));
        let kept = (second.run.checkpoint.as_deref(), second.run.counts.as_str(), second.run.checkpoint_at);
        assert_eq!(kept, (Some("{\"next\":\"oB\"}"), "{\"seen\":3}", Some(at(9))));
        let late = store.checkpoint_run(first.run.id, Some("{}"), "{}", at(21));
        assert_eq!(store.commit(vec![late]).await.unwrap(), [0], "taken for dead");
        end(&store, second.run.id, JobOutcome::Unavailable, 30).await;
        let ended = store.run(second.run.id).await.unwrap().unwrap();
        assert_eq!(
            (ended.outcome, ended.exit_code, ended.error.as_deref()),
            (JobOutcome::Unavailable, Some(69), Some("why 🎮"))
        );

        // Too old for a third, which comes to its end; and another account has never begun.
        let third = store.begin_run(SYNC, "h:3", at(9 + 86_401), DAY).await.unwrap();
        assert_eq!(
            (third.run.origin, third.run.checkpoint.as_deref(), third.run.counts.as_str()),
            (third.run.id, None, "{}")
        );
        let saved = store.checkpoint_run(third.run.id, Some("1"), "{}", at(90_000));
        store.commit(vec![saved]).await.unwrap();
        end(&store, third.run.id, JobOutcome::Ok, 90_001).await;
        assert_eq!(store.run(third.run.id).await.unwrap().unwrap().checkpoint, None, "it needs none any more");
        let fourth = store.begin_run(SYNC, "h:4", at(90_002), DAY).await.unwrap();
        assert_eq!(
            (fourth.run.origin, fourth.run.checkpoint.clone()),
            (fourth.run.id, None),
            "one that ended well is not gone on with"
        );
        let other = store.begin_run((SYNC.0, "other"), "h:5", at(90_003), DAY).await.unwrap();
        assert_eq!(other.run.origin, other.run.id);

        assert_eq!(store.last_success(SYNC.0, SYNC.1).await.unwrap(), Some(at(90_001)));
        assert_eq!(store.run_times(SYNC.0, SYNC.1, 9).await.unwrap(), [(90_001 - 86_410) * 1000]);
        let jobs = store.jobs().await.unwrap();
        assert_eq!(
            jobs,
            [("followers sync".to_owned(), "main".to_owned()), ("followers sync".to_owned(), "other".to_owned())]
        );
        let failed = RunFilter { account: Some("main".into()), failed: true, ..RunFilter::default() };
        let ids: Vec<i64> = store.runs(&failed, 9).await.unwrap().iter().map(|run| run.id).collect();
        assert_eq!(ids, [fourth.run.id, second.run.id, first.run.id], "what says running may be dead");
        let stands = store.as_it_stands(fourth.run).await.unwrap();
        assert_eq!(stands.outcome, JobOutcome::Killed, "nobody holds its lock");
    }

    pub async fn runs_of_a_job_do_not_fill_the_disk(scene: &Scene) {
        let store = scene.open().await;
        let row = "INSERT INTO job_run (job, account, origin, started_at, outcome, counts, who) VALUES (?, ?, 1, ?, 'ok', '{}', 'h')";
        store.commit((0..1005).map(|n| stmt!(row, SYNC.0, SYNC.1, at(n))).collect()).await.unwrap();
        store.commit(vec![stmt!(row, SYNC.0, "other", at(0))]).await.unwrap();
        store.begin_run(SYNC, "h:1", at(2000), None).await.unwrap();
        let count = "SELECT COUNT(*) FROM job_run WHERE account = ?";
        for (account, left) in [("main", 1001), ("other", 1)] {
            let rows = store.row(count, vec![account.into()], |row| row.int(0)).await.unwrap();
            assert_eq!(rows, Some(left), "{account}");
        }
    }

    pub async fn a_paused_channel_lets_one_probe_pass(scene: &Scene) {
        let store = scene.open().await;
        store.pause("main", "user/info", "errcode 45009", 100).await.unwrap();
        let pause = store.paused("main", "user/info").await.unwrap().unwrap();
        assert!(!store.may_probe(&pause, 99).await.unwrap());
        assert!(store.may_probe(&pause, 100).await.unwrap());
        assert!(!store.may_probe(&pause, 101).await.unwrap());
        assert!(store.may_probe(&pause, 60_100).await.unwrap());
        assert!(store.paused("main", "user/get").await.unwrap().is_none());
        store.resume("main", "user/info").await.unwrap();
        assert!(store.paused("main", "user/info").await.unwrap().is_none());
    }

    pub async fn a_clear_is_written_before_it_is_asked_for(scene: &Scene) {
        let store = scene.open().await;
        let now = 1_795_000_000_000;
        store.pause("main", "user/get", "user/get: errcode 45009: reach max", 100).await.unwrap();
        store.pause("main", "user/info", "user/info: errcode 48001: no right", 100).await.unwrap();
        store.pause("shop", "user/get", "user/get: errcode 45009: reach max", 100).await.unwrap();
        let asked = store.ask_clear("main", Way::Token, now, "host:1").await.unwrap();
        let clears = async |since| store.quota_clears("main", since).await.unwrap();
        let first = clears(now).await.pop().unwrap();
        assert!(first.counts() && first.outcome == "asked", "{first:?}");
        assert_eq!(store.end_clear(&asked, Cleared::Ok, None, Some("5f1e-4b5a")).await.unwrap(), 1);
        assert!(store.paused("main", "user/get").await.unwrap().is_none());
        assert!(store.paused("main", "user/info").await.unwrap().is_some());
        assert!(store.paused("shop", "user/get").await.unwrap().is_some());
        let second = store.ask_clear("main", Way::Secret, now + 1, "host:2").await.unwrap();
        assert_eq!(store.end_clear(&second, Cleared::Refused, Some(48006), None).await.unwrap(), 0);
        let told = clears(now).await;
        let told: Vec<_> = told.iter().map(|e| (e.api.as_str(), e.outcome.as_str(), e.counts(), e.errcode)).collect();
        assert_eq!(told, [("clear_quota", "ok", true, None), ("clear_quota/v2", "refused", false, Some(48006))]);
        assert_eq!(clears(now + 1).await.len(), 1);
        assert!(store.quota_clears("shop", 0).await.unwrap().is_empty());
    }

    pub async fn a_refusal_stands_once_a_day(scene: &Scene) {
        let store = scene.open().await;
        let midnight = crate::domain::beijing::next_day(1_795_000_000_000);
        for (api, at) in [
            ("user/get", midnight - 2),
            ("user/get", midnight - 1),
            ("user/info", midnight - 1),
            ("user/get", midnight),
            ("user/get", midnight + 1),
        ] {
            store.note_refusal("main", api, 45009, Some("5f1e"), at, "host:1").await.unwrap();
        }
        let told = store.quota_refusals("main", 0).await.unwrap();
        let told: Vec<_> = told.iter().map(|e| (e.api.as_str(), e.at.timestamp_millis() - midnight)).collect();
        assert_eq!(told, [("user/get", -2), ("user/info", -1), ("user/get", 0)]);
    }

    pub async fn marks_and_accounts_are_not_mixed(scene: &Scene) {
        let store = scene.open().await;
        let key = store.installation("sandbox").await.unwrap();
        assert_eq!(store.installation("sandbox").await.unwrap(), key);
        assert_eq!(store.installation("real").await.unwrap_err().kind, crate::error::Kind::Config);
        store.enter_account("main", "official", "wx1").await.unwrap();
        store.enter_account("main", "official", "wx1").await.unwrap();
        let error = store.enter_account("main", "official", "wx2").await.unwrap_err();
        assert!(error.to_string().contains("wx1"), "{error}");
    }

    /// Rows of `inbox_event`: (id, account, second).
    async fn fill(store: &Store, rows: &[(i64, &str, i64)]) {
        for part in rows.chunks(500) {
            let sql = format!(
                "INSERT INTO inbox_event (id, account, platform, dedupe_key, openid, kind, state, due_at, event_time, received_at) \
                 VALUES {}",
                vec!["(?, ?, 'official', ?, 'oA', 'message.text', 'done', 0, ?, ?)"; part.len()].join(", ")
            );
            let args = part.iter().flat_map(|(id, account, second)| {
                let mut key = [0; 32];
                key[..8].copy_from_slice(&id.to_be_bytes());
                let time = Value::from(at(*second));
                [Value::Int(*id), Value::from(*account), Value::from(&key[..]), time.clone(), time]
            });
            store.commit(vec![Statement { sql: sql.into(), args: args.collect() }]).await.unwrap();
        }
    }

    /// However it is looked for, and between holes in the ids, a silence and rows of another account.
    pub async fn callbacks_are_found_around_a_moment(scene: &Scene) {
        let store = scene.open().await;
        assert_eq!(store.last_callback("main").await.unwrap(), None);
        assert_eq!(store.near("main", &[0]).await.unwrap(), [Default::default()]);
        let mut rows = Vec::new();
        let (mut id, mut second) = (1000, 0);
        for n in 0..6000 {
            id += if n % 7 == 0 { 4 } else { 1 } + if n == 3000 { 5000 } else { 0 };
            second += if n % 1000 == 0 { 30_000 } else { n % 13 };
            rows.push((id, if n % 40 == 0 { "shop" } else { "main" }, second));
        }
        fill(&store, &rows).await;
        let moments: Vec<i64> = (-2..250).map(|n| at(n * second / 240).timestamp_millis()).collect();
        for account in ["main", "shop"] {
            let times: Vec<i64> =
                rows.iter().filter(|row| row.1 == account).map(|row| at(row.2).timestamp_millis()).collect();
            let wanted: Vec<_> = moments
                .iter()
                .map(|moment| crate::domain::silence::Around {
                    before: times.iter().copied().filter(|time| time <= moment).max(),
                    after: times.iter().copied().find(|time| time > moment),
                })
                .collect();
            for found in [store.near(account, &moments).await, store.callbacks_around(account, &moments).await] {
                let wrong = found.unwrap().into_iter().zip(&wanted).position(|(found, wanted)| found != *wanted);
                assert_eq!(wrong, None, "{account}");
            }
            assert_eq!(store.few(account).await.unwrap().is_some(), account == "shop");
            assert_eq!(store.last_callback(account).await.unwrap(), times.last().copied());
        }
        // Long ago, behind all that is looked at first.
        store.commit(vec![stmt!("UPDATE inbox_event SET account = 'main' WHERE id > ?", rows[100].0)]).await.unwrap();
        assert_eq!(store.last_callback("shop").await.unwrap(), Some(at(rows[80].2).timestamp_millis()));
    }

    pub async fn an_alarm_is_told_by_one(scene: &Scene) {
        let store = scene.open().await;
        let silence = Standing {
            account: "main".into(),
            kind: "silence".into(),
            began_at: at(1),
            told_at: None,
            due_at: 5,
            size: 0,
            tries: 0,
        };
        store.raise_alarm(&silence).await.unwrap();
        store.raise_alarm(&Standing { due_at: 9, ..silence.clone() }).await.unwrap();
        assert_eq!(store.alarms().await.unwrap(), std::slice::from_ref(&silence));
        let told = Standing { told_at: Some(at(2)), due_at: 7, size: 3, ..silence.clone() };
        let (one, two) = tokio::join!(store.change_alarm(&silence, &told), store.change_alarm(&silence, &told));
        assert!(one.unwrap() != two.unwrap(), "one has the right to tell");
        assert_eq!(store.alarms().await.unwrap(), std::slice::from_ref(&told));
        assert!(!store.end_alarm(&silence).await.unwrap() && store.end_alarm(&told).await.unwrap());
        assert_eq!(store.alarms().await.unwrap(), []);
    }

    pub async fn a_lock_tells_who_has_it(scene: &Scene) {
        let store = scene.open().await;
        assert_eq!(store.holder("watch").await.unwrap(), None);
        let held = store.acquire("watch", "host:1").await.unwrap().unwrap();
        let holder = store.holder("watch").await.unwrap().unwrap();
        assert!(holder.who == "host:1" && holder.left_ms.is_some_and(|left| (20_000..=LEASE_MS).contains(&left)));
        store.release(&held).await.unwrap();
        assert_eq!(store.holder("watch").await.unwrap(), Some(Holder { who: "host:1".into(), left_ms: None }));
    }

    pub async fn a_row_that_changed_since_is_left_alone(scene: &Scene) {
        let store = scene.open().await;
        let (before, began) = (1_700_000_000_000, 1_700_000_100_000);
        let later = began + 50_000;
        let time = |ms: i64| Utc.timestamp_millis_opt(ms).unwrap();
        let follow = |openid: &str, at: i64| store.follow("main", openid, time(at), None, at);
        let unfollow = |openid: &str, at: i64| store.unfollow("main", openid, time(at), true, at);
        for (openid, left) in [("oBEFORE", before), ("oSINCE", later)] {
            store.commit(follow(openid, before - 9_000)).await.unwrap();
            store.commit(unfollow(openid, left)).await.unwrap();
        }
        let openids = ["oBEFORE", "oNEW", "oSINCE"].map(str::to_owned);
        store.listed("main", &openids, time(began), time(later)).await.unwrap();
        let known = store.known_following("main", &openids).await.unwrap();
        let mut known: Vec<&str> = known.iter().map(|row| row.openid.as_str()).collect();
        known.sort_unstable();
        assert_eq!(known, ["oBEFORE", "oNEW"], "the one who left meanwhile has left");
        assert!(
            store.following_after("main", 0, time(began), 9).await.unwrap().is_empty(),
            "all of them changed since"
        );

        store.commit(follow("oOLD", before)).await.unwrap();
        let old = store.following_after("main", 0, time(began), 9).await.unwrap();
        assert_eq!(old.iter().map(|row| row.openid.as_str()).collect::<Vec<_>>(), ["oOLD"]);
        store.commit(unfollow("oOLD", later)).await.unwrap();
        store.unlisted(&[old[0].id], time(began), time(later)).await.unwrap();
        let row = store.asked_rows(&[old[0].id]).await.unwrap()[0];
        assert_eq!((row.follows, row.due), (false, false), "nobody asks about who left by themselves");
    }

    pub async fn figures_at_a_glance(scene: &Scene) {
        let store = scene.open().await;
        assert_eq!((store.oldest_callback().await.unwrap(), store.inbox_due_since().await.unwrap()), (None, None));
        fill(&store, &[(1, "shop", 5), (2, "main", 6), (3, "main", 7)]).await;
        store.commit(vec![stmt!("UPDATE inbox_event SET state = 'dead' WHERE id < 3")]).await.unwrap();
        store.commit(vec![stmt!("UPDATE inbox_event SET state = 'new', due_at = 9 WHERE id = 3")]).await.unwrap();
        assert_eq!(store.oldest_callback().await.unwrap(), Some(at(5)));
        assert_eq!(store.inbox_due_since().await.unwrap(), Some(9));
        assert_eq!(store.dead().await.unwrap(), [], "without their messages");
        store.commit(vec![stmt!("UPDATE inbox_event SET raw = 'x'")]).await.unwrap();
        assert_eq!(store.dead().await.unwrap(), [("main".to_owned(), 1), ("shop".to_owned(), 1)]);
        assert!(store.size().await.unwrap() > 10_000);

        assert_eq!(store.profiles(None).await.unwrap(), Profiles { given_up_of: 10_000, ..Profiles::default() });
        for (openid, due) in [("oA", 70), ("oB", 60), ("oC", 0)] {
            store.commit(store.follow("main", openid, at(1), None, due)).await.unwrap();
        }
        let failed = store.claim_due("main", 1, 0).await.unwrap().pop().unwrap();
        store.commit(vec![store.info_failed(&failed, None, "errcode 40003")]).await.unwrap();
        let known = Profiles { due: 2, first_due_at: Some(60), given_up: 1, given_up_of: 10_000 };
        assert_eq!(store.profiles(Some("main")).await.unwrap(), known);
        assert_eq!(store.profiles(Some("shop")).await.unwrap().due, 0);

        store.pause("main", "*", "errcode 40125", 100).await.unwrap();
        store.pause("main", "user/info", "errcode 45009", 200).await.unwrap();
        let pauses = store.pauses().await.unwrap();
        assert_eq!(pauses.iter().map(|pause| pause.api.as_str()).collect::<Vec<_>>(), ["*", "user/info"]);
    }
}
