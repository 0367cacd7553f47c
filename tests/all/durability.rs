//! What an acknowledgement is worth: it comes after the commit, whatever the database does meanwhile.

use crate::faults::{Cut, LIMIT, OwnMariaDb, Proxy, Stall, fault_stories, stranger};
use crate::http;
use crate::load::events::Events;
use crate::load::{self, End};
use crate::messages::{OPENID, event_at, subscribe, text};
use crate::process::WRAPPER;
use crate::rows::{Db, skip};
use crate::signer;
use crate::stage::{Serve, Stage, until};
use crate::stories::tell;
use sqlx::{AssertSqlSafe, Executor};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::watch;

fault_stories! {
    no_commit_in_time_is_503_and_then_all_is_well,
    a_duplicate_waits_for_its_original,
    one_bad_row_fails_alone,
}

/// Without a spool: 503 at 4 s, not ready meanwhile; afterwards it works without a restart, and the retry is one row.
async fn no_commit_in_time_is_503_and_then_all_is_well(mut stage: Stage) {
    stage.settings += "spool_dir = \"off\"\n";
    let stall = Stall::before(&mut stage).await;
    let serve = stage.serve().await;
    assert_eq!(serve.push(&text(OPENID, "before", 1)).await.status, 200);
    stage.settled().await;

    stall.begin();
    let start = Instant::now();
    let message = text(OPENID, "during", 2);
    let pushes: Vec<_> = (10..30).map(|id| text(OPENID, "many", id)).collect();
    let many = pushes.iter().map(|xml| serve.push(xml));
    let (answer, many) = tokio::join!(serve.push(&message), futures(many));
    assert_eq!((answer.status, answer.body.len()), (503, 0));
    assert!(many.iter().all(|answer| answer.status == 503 && answer.body.is_empty()), "{many:?}");
    let took = start.elapsed();
    assert!((3800..4800).contains(&took.as_millis()), "503 after {took:?}");
    let (ready, alive) = (http::get(serve.address(), "/readyz").await, http::get(serve.address(), "/healthz").await);
    assert_eq!((ready.unwrap().status, alive.unwrap().status), (503, 200));

    tokio::time::sleep(Duration::from_secs(6).saturating_sub(start.elapsed())).await;
    stall.end();
    let back = Instant::now();
    until("a push to be acknowledged again", async || (serve.push(&message).await.status == 200).then_some(())).await;
    until("readyz", async || (http::get(serve.address(), "/readyz").await.ok()?.status == 200).then_some(())).await;
    assert!(back.elapsed() < Duration::from_secs(2), "it took {:?} after the stall", back.elapsed());
    for xml in &pushes {
        assert_eq!(serve.push(xml).await.status, 200);
    }
    stage.settled().await;
    assert_eq!(stage.stored().await, 22, "each once");
    assert_eq!(handled_twice(&serve.log()), [0i64; 0]);
}

/// The copy is not acknowledged on the strength of a row that may still be rolled back.
async fn a_duplicate_waits_for_its_original(mut stage: Stage) {
    stage.settings += "spool_dir = \"off\"\n";
    let stall = Stall::before(&mut stage).await;
    let serve = stage.serve().await;
    stage.settled().await;
    stall.begin();
    if let Stall::Proxy(proxy) = &stall {
        // Sharper: only the original's COMMIT is held, so that the copy meets another writer that is free.
        proxy.resume();
        proxy.cut(OPENID, Cut::Hold, 0, 1);
    }
    let (message, start) = (subscribe(OPENID), Instant::now());
    let (original, copy, ()) = tokio::join!(
        async { (serve.push(&message).await.status, start.elapsed()) },
        async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            (serve.push(&message).await.status, start.elapsed())
        },
        async {
            tokio::time::sleep(Duration::from_millis(2000)).await;
            stall.end();
        },
    );
    assert_eq!((original.0, copy.0), (200, 200));
    let least = Duration::from_millis(2000);
    assert!(original.1 >= least && copy.1 >= least, "answered before the commit: {original:?}, {copy:?}");
    assert_eq!(stage.stored().await, 1);
    assert_eq!(serve.metric("wxops_callback_duplicates_total", &[]).await, 1.0);
}

/// Whatever the database refuses in one row, the others of its batch are stored and acknowledged.
async fn one_bad_row_fails_alone(mut stage: Stage) {
    const BAD: &str = "oTESTrefused000000000000001_";
    let refuse = match stage.db {
        Db::Sqlite => format!(
            "CREATE TRIGGER bad BEFORE INSERT ON inbox_event WHEN NEW.openid = '{BAD}' \
             BEGIN SELECT RAISE(ABORT, 'refused'); END"
        ),
        Db::MariaDb => format!(
            "CREATE TRIGGER bad BEFORE INSERT ON inbox_event FOR EACH ROW \
             IF NEW.openid = '{BAD}' THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'refused'; END IF"
        ),
    };
    stage.execute(&refuse).await;
    let stall = Stall::before(&mut stage).await;
    let serve = stage.serve().await;
    stall.begin();
    let xml: Vec<_> = (0..60).map(|id| text(if id == 30 { BAD } else { OPENID }, "x", id)).collect();
    let (answers, ()) = tokio::join!(futures(xml.iter().map(|xml| serve.push(xml))), async {
        // They wait together, so that they come into one batch.
        tokio::time::sleep(Duration::from_millis(500)).await;
        stall.end();
    });
    for (id, answer) in answers.iter().enumerate() {
        assert_eq!(answer.status, if id == 30 { 503 } else { 200 }, "push {id}");
    }
    assert_eq!(stage.stored().await, 59);
    stage.execute("DROP TRIGGER bad").await;
    assert_eq!(serve.push(&xml[30]).await.status, 200, "its retry is taken");
    stage.settled().await;
    assert_eq!(stage.stored().await, 60);
}

/// Under strace: between a callback's arrival and its 200 the WAL is on disk; those that wait share one sync.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_wal_is_synced_before_the_answer() {
    let story = "durability::the_wal_is_synced_before_the_answer";
    if std::process::Command::new("strace").arg("-V").output().is_err() {
        return skip(story, "there is no strace here");
    }
    tell(Stage::new(Db::Sqlite, story), LIMIT, async |mut stage| {
        let trace = stage.folder().join("trace");
        let calls = "trace=fdatasync,fsync,read,recvfrom,write,writev,sendto,sendmsg";
        // With -D the tracer is the child, so that serve is stopped as ever.
        let strace = format!("strace -D -f -y -s 32 -e {calls} -o {}", trace.display());
        stage.env.push((WRAPPER.into(), strace));
        let stall = Stall::before(&mut stage).await;
        let mut serve = stage.serve().await;
        for id in 0..10 {
            // Settled first: a sync of somebody else's commit proves nothing.
            assert_eq!(serve.push(&text(OPENID, "x", id)).await.status, 200);
            stage.settled().await;
        }
        stall.begin();
        let many: Vec<_> = (10..210).map(|id| text(OPENID, "x", id)).collect();
        let (answers, ()) = tokio::join!(futures(many.iter().map(|xml| serve.push(xml))), async {
            tokio::time::sleep(Duration::from_millis(1500)).await;
            stall.end();
        });
        assert!(answers.iter().all(|answer| answer.status == 200));
        stage.settled().await;
        assert_eq!(serve.stop().await.0, Some(0));
        let trace = until("the end of the trace", async || {
            Some(std::fs::read_to_string(&trace).ok()?)
                .filter(|text| text.trim_end().ends_with("+++ exited with 0 +++"))
        })
        .await;
        // Those one after the other; of many at once a trace does not tell which answer is whose.
        assert_eq!(synced_before_answers(&trace, 10), 10, "{trace}");
        let syncs = trace.lines().filter(|line| line.contains("sync(") && line.contains("wxops.db-wal")).count();
        println!("{syncs} syncs for 210 callbacks");
        assert!((11..100).contains(&syncs), "{syncs} syncs");
    })
    .await;
}

/// How many of the first answers of 200 to a callback came after a finished sync of the WAL; panics at one that
/// did not.
fn synced_before_answers(trace: &str, most: usize) -> usize {
    let (mut waiting, mut synced, mut answers) = (false, false, 0);
    let mut syncing = BTreeSet::new();
    for line in trace.lines() {
        if answers == most {
            break;
        }
        let Some((thread, call)) = line.split_once(char::is_whitespace) else { continue };
        let call = call.trim_start();
        if call.contains("\"POST /wechat/event") {
            (waiting, synced) = (true, false);
        }
        let begins = call.starts_with("fdatasync(") || call.starts_with("fsync(");
        if begins && call.contains("wxops.db-wal") {
            match call.contains("<unfinished") {
                true => drop(syncing.insert(thread)),
                false => synced |= call.ends_with("= 0"),
            }
        } else if call.contains("sync resumed>") && syncing.remove(thread) {
            synced |= call.ends_with("= 0");
        }
        if waiting && call.contains("\"HTTP/1.1 200") {
            assert!(synced, "a 200 without a sync before it: {line}");
            (waiting, answers) = (false, answers + 1);
        }
    }
    answers
}

#[test]
fn a_trace_without_a_sync_is_found() {
    let good = "7 recvfrom(9<socket:[1]>, \"POST /wechat/event?s\"..., 8192, 0, NULL, NULL) = 900\n\
                8 fdatasync(5</x/wxops.db-wal> <unfinished ...>\n8 <... fdatasync resumed>) = 0\n\
                7 writev(9<socket:[1]>, [{iov_base=\"HTTP/1.1 200 OK\\r\\n\"...}], 1) = 80\n";
    assert_eq!(synced_before_answers(good, 9), 1);
    let late = good.replace("8 <... fdatasync resumed>) = 0\n", "");
    assert!(std::panic::catch_unwind(|| synced_before_answers(&late, 9)).is_err());
}

/// A server that does not flush at each commit loses acknowledged callbacks: the log says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mariadb_that_does_not_flush_is_warned_of() {
    let story = "durability::a_mariadb_that_does_not_flush_is_warned_of";
    tell(Stage::new(Db::Sqlite, story), LIMIT, async |mut stage| {
        let Some(server) = OwnMariaDb::start(&stage, story) else { return };
        let mut root = <sqlx::MySqlConnection as sqlx::Connection>::connect(&server.url).await.unwrap();
        root.execute("CREATE DATABASE wxops").await.unwrap();
        stage.env.push(("DATABASE_URL".into(), format!("{}/wxops", server.url)));
        stage.verb(&["db", "migrate"]).await.expect_code(0);
        for flush in [2, 0, 1] {
            let set = format!("SET GLOBAL innodb_flush_log_at_trx_commit = {flush}");
            root.execute(sqlx::raw_sql(AssertSqlSafe(set))).await.unwrap();
            let mut serve = stage.serve().await;
            let said = serve.log().contains(&format!("innodb_flush_log_at_trx_commit is {flush}"));
            assert_eq!(said, flush != 1, "{}", serve.log());
            let doctor = stage.verb(&["doctor"]).await.expect_code(0).stdout;
            assert_eq!(doctor.contains("SET GLOBAL innodb_flush_log_at_trx_commit = 1"), flush != 1, "{doctor}");
            assert_eq!(serve.stop().await.0, Some(0));
        }
    })
    .await;
}

/// Tells a story on MariaDB alone.
async fn on_mariadb(story: &str, play: impl AsyncFnOnce(Stage)) {
    tell(Stage::new(Db::MariaDb, story), LIMIT, play).await;
}

/// The COMMIT of the arrival, then that of the settlement, each cut on its way there and on its way back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_of_unknown_outcome_is_one_row_handled_once() {
    on_mariadb("durability::a_commit_of_unknown_outcome_is_one_row_handled_once", async |mut stage| {
        // What matters here is the table alone.
        stage.settings += "spool_dir = \"off\"\n";
        let proxy = Proxy::before(&mut stage).await;
        let serve = stage.serve().await;
        let mut person = 0;
        for (cut, skip) in [(Cut::Before, 0), (Cut::After, 0), (Cut::Before, 1), (Cut::After, 1)] {
            for times in [1, 3, 6] {
                person += 1;
                let openid = format!("oTESTcut{person:019}_");
                let xml = subscribe(&openid);
                proxy.cut(&openid, cut, skip, times);
                let first = serve.push(&xml).await.status;
                assert!([200, 503].contains(&first), "{cut:?} {skip} {times}: {first}");
                let stored = format!("SELECT COUNT(*) FROM inbox_event WHERE openid = '{openid}'");
                assert!(
                    first != 200 || stage.number(&stored).await == 1,
                    "{cut:?} {skip} {times}: acknowledged and lost"
                );
                until("the trap to spring", async || (proxy.sprung() > 0).then_some(())).await;
                proxy.resume();
                assert_eq!(serve.push(&xml).await.status, 200, "{cut:?} {skip} {times}: the retry");
                assert_eq!(stage.number(&stored).await, 1, "{cut:?} {skip} {times}");
            }
        }
        stage.outlive_leases().await;
        stage.settled().await;
        let followed = "SELECT COUNT(*) FROM user_mapping WHERE is_followed = 1";
        assert_eq!(stage.number(followed).await, person);
        assert_eq!(stage.number("SELECT COUNT(*) FROM inbox_event WHERE state = 'done'").await, person);
        assert_eq!(handled_twice(&serve.log()), [0i64; 0]);
    })
    .await;
}

/// The same under load: every so many COMMITs are cut, on either way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_cut_under_load_lose_nothing() {
    on_mariadb("durability::commits_cut_under_load_lose_nothing", async |mut stage| {
        let proxy = Arc::new(Proxy::before(&mut stage).await);
        let serve = stage.serve().await;
        let cutting = proxy.clone();
        let cutter = tokio::spawn(async move {
            for turn in 0.. {
                let cut = if turn % 2 == 0 { Cut::Before } else { Cut::After };
                cutting.cut("oLOAD", cut, 3, 1 + turn % 3 * 3);
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        let (acknowledged, report) = push_load(&stage, &serve, End::Count(3000), true).await;
        cutter.abort();
        proxy.resume();
        println!("{report}");
        assert_eq!(acknowledged.len(), 3000);
        let stored = stored_numbers(&stage, &acknowledged.events).await;
        assert!(acknowledged.numbers.iter().all(|number| stored.get(number) == Some(&1)), "lost or twice");
        stage.outlive_leases().await;
        stage.settled().await;
        assert_eq!(handled_twice(&serve.log()), [0i64; 0]);
        assert_eq!(stage.number("SELECT COUNT(*) FROM inbox_event WHERE state <> 'done'").await, 0);
    })
    .await;
}

/// IGNORE drops a row that a constraint refuses as it drops a copy, without a word: no 200 for that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_ignore_drops_is_not_acknowledged() {
    on_mariadb("durability::a_row_that_ignore_drops_is_not_acknowledged", async |stage| {
        stage.execute(&format!("ALTER TABLE inbox_event ADD CONSTRAINT odd CHECK (openid <> '{OPENID}')")).await;
        let serve = stage.serve().await;
        let (refused, other) = (text(OPENID, "x", 1), text("oTESTother0000000000000001_", "x", 2));
        let (a, b) = tokio::join!(serve.push(&refused), serve.push(&other));
        assert_eq!((a.status, b.status), (503, 200));
        stage.execute("ALTER TABLE inbox_event DROP CONSTRAINT odd").await;
        assert_eq!(serve.push(&refused).await.status, 200);
        assert_eq!(stage.stored().await, 2);
    })
    .await;
}

/// A person with a shell holds a row that a handler wants: nobody else's acknowledgement waits for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_locked_by_another_holds_up_nobody_else() {
    on_mariadb("durability::a_row_locked_by_another_holds_up_nobody_else", async |stage| {
        let serve = stage.serve().await;
        // More of them than there are writers.
        let people: Vec<_> = (0..6).map(|number| format!("oTESTlocked{number:015}_")).collect();
        for openid in &people {
            assert_eq!(serve.push(&subscribe(openid)).await.status, 200);
        }
        stage.settled().await;
        let mut stranger = stranger(&stage).await;
        stranger.execute("BEGIN").await.unwrap();
        stranger.execute("SELECT id FROM user_mapping FOR UPDATE").await.unwrap();

        let start = Instant::now();
        for openid in &people {
            let again = event_at("subscribe", openid, signer::now() + 1, "");
            assert_eq!(serve.push(&again).await.status, 200, "after {:?}", start.elapsed());
        }
        let mut slowest = Duration::ZERO;
        for id in 0.. {
            let one = Instant::now();
            let status = serve.push(&text("oTESTother0000000000000001_", "x", id)).await.status;
            assert_eq!(status, 200, "push {id} after {:?}, it took {:?}", start.elapsed(), one.elapsed());
            slowest = slowest.max(one.elapsed());
            if start.elapsed() > Duration::from_secs(12) {
                break;
            }
        }
        assert!(slowest < Duration::from_secs(4), "{slowest:?}");
        stranger.execute("ROLLBACK").await.unwrap();
        stage.outlive_leases().await;
        stage.execute("UPDATE inbox_event SET due_at = 0 WHERE state = 'new'").await;
        stage.settled().await;
        assert_eq!(stage.number("SELECT COUNT(*) FROM inbox_event WHERE state = 'dead'").await, 0);
        println!("the slowest acknowledgement took {slowest:?}");
    })
    .await;
}

/// InnoDB ends a deadlock by rolling one side back; where that is ours, we begin again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadlock_is_retried() {
    on_mariadb("durability::a_deadlock_is_retried", async |stage| {
        let serve = stage.serve().await;
        assert_eq!(serve.push(&subscribe(OPENID)).await.status, 200);
        stage.settled().await;
        let mut stranger = stranger(&stage).await;
        // On a busy machine the lock wait of a second may end before we come to it.
        let mut turn = 1;
        while !deadlock(&stage, &serve, &mut stranger, turn).await {
            turn += 1;
            assert!(turn < 6, "no deadlock");
            stage.outlive_leases().await;
            stage.settled().await;
        }
        stage.settled().await;
        let row = &stage.rows("SELECT attempts, state FROM inbox_event ORDER BY event_time DESC LIMIT 1").await[0];
        assert_eq!((row[0].as_deref(), row[1].as_deref()), (Some("0"), Some("done")));
        assert_eq!(stage.number("SELECT is_followed FROM user_mapping").await, 0);
    })
    .await;
}

/// Lets a settlement and somebody else wait for each other; false where one of them gave up before.
async fn deadlock(stage: &Stage, serve: &Serve, stranger: &mut sqlx::MySqlConnection, turn: i64) -> bool {
    let mut execute = async |sql: String| stranger.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.unwrap();
    execute("BEGIN".into()).await;
    // The stranger has written much, so that the lighter transaction, ours, is the victim.
    let many: Vec<_> = (0..500).map(|id| format!("('main', {id}, 'n')")).collect();
    execute(format!("INSERT INTO tag (account, tag_id, name) VALUES {}", many.join(", "))).await;
    execute("SELECT id FROM user_mapping FOR UPDATE".into()).await;

    let count = "SELECT variable_value FROM information_schema.global_status WHERE variable_name = 'Innodb_deadlocks'";
    let before = stage.number(count).await;
    let event = event_at("unsubscribe", OPENID, signer::now() + turn, "");
    assert_eq!(serve.push(&event).await.status, 200);
    let waits = "SELECT COUNT(*) FROM information_schema.innodb_trx t JOIN information_schema.processlist p \
                 ON p.id = t.trx_mysql_thread_id WHERE t.trx_state = 'LOCK WAIT' AND p.db = DATABASE()";
    until("serve to wait for the row", async || {
        // The server shows the same picture again to who looks more often.
        tokio::time::sleep(Duration::from_millis(110)).await;
        (stage.number(waits).await > 0).then_some(())
    })
    .await;
    execute("UPDATE inbox_event SET last_error = 'stranger' WHERE kind = 'event.unsubscribe'".into()).await;
    let met = stage.number(count).await > before;
    execute("ROLLBACK".into()).await;
    met
}

/// What a load was answered with 200.
pub struct Acknowledged {
    pub numbers: BTreeSet<u64>,
    pub events: Arc<Events>,
}

impl Acknowledged {
    pub fn len(&self) -> usize {
        self.numbers.len()
    }
}

/// Pushes events over 48 connections.
pub async fn push_load(stage: &Stage, serve: &Serve, end: End, insist: bool) -> (Acknowledged, load::Report) {
    let events = Arc::new(Events::new(&stage.keys.original_id, signer::now() - 3600, Vec::new()));
    let options = load::Options {
        connections: 48,
        end,
        duplicates: 0.1,
        mode: stage.mode,
        keys: stage.keys.clone(),
        path: "/wechat/event".into(),
        insist,
    };
    let (_target, listening) = watch::channel(Some(serve.address()));
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let note = seen.clone();
    let note: load::Acknowledged = Arc::new(move |number, _| _ = note.lock().unwrap().insert(number));
    let report = load::run(options, events.clone(), listening, Arc::default(), note).await;
    let numbers = std::mem::take(&mut *seen.lock().unwrap());
    (Acknowledged { numbers, events }, report)
}

/// How many rows each event of a load has.
pub async fn stored_numbers(stage: &Stage, events: &Events) -> BTreeMap<u64, u64> {
    let mut stored = BTreeMap::new();
    for row in stage.rows("SELECT openid, kind, HEX(dedupe_key) FROM inbox_event").await {
        let [Some(openid), Some(kind), Some(key)] = &row[..] else { panic!("{row:?}") };
        let created = i64::from_str_radix(&key[..8], 16).unwrap();
        if let Some(number) = events.number_of(openid, kind, created) {
            *stored.entry(number).or_default() += 1;
        }
    }
    stored
}

/// The ids of the log's `event` lines: one each time a handler's effects were written.
pub fn handled(log: &str) -> Vec<i64> {
    let id = |line: &str| line.split_once(" id=").and_then(|(_, rest)| rest.split(' ').next()?.parse().ok());
    log.lines().filter(|line| line.contains(" event ")).filter_map(id).collect()
}

/// The ids of the log's `event` lines that are there twice.
pub fn handled_twice(log: &str) -> Vec<i64> {
    let mut seen = BTreeSet::new();
    handled(log).into_iter().filter(|id| !seen.insert(*id)).collect()
}

/// All at once; their results in order.
pub async fn futures<T>(all: impl IntoIterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut all: Vec<_> = all.into_iter().map(|one| (Box::pin(one), None)).collect();
    std::future::poll_fn(|context| {
        let mut ready = true;
        for (one, result) in &mut all {
            if result.is_none() {
                match one.as_mut().poll(context) {
                    std::task::Poll::Ready(value) => *result = Some(value),
                    std::task::Poll::Pending => ready = false,
                }
            }
        }
        if ready { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    all.into_iter().filter_map(|(_, result)| result).collect()
}
