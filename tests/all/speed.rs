//! What `scripts/bench` stands on: contestants that do the work, verdicts that can fail, a page made from its rows.

use crate::bench::race::{Contestant, faults};
use crate::bench::{self, callback, page, sealed};
use crate::process::Outcome;
use crate::rows::{Db, skip};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// Where `scripts/test` made the contestants.
const RACE: &str = "WXOPS_TEST_RACE";
const PUSHES: u64 = 150;
const LIMIT: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn contestants_store_what_they_acknowledge_on_sqlite() {
    race(Db::Sqlite, "speed::contestants_store_what_they_acknowledge_on_sqlite").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn contestants_store_what_they_acknowledge_on_mariadb() {
    race(Db::MariaDb, "speed::contestants_store_what_they_acknowledge_on_mariadb").await;
}

async fn race(db: Db, story: &str) {
    let Ok(place) = std::env::var(RACE) else {
        return skip(story, &format!("{RACE} is not set; scripts/test makes the contestants"));
    };
    if db == Db::MariaDb && std::env::var("WXOPS_TEST_DATABASE_URL_MARIADB").is_err() {
        return skip(story, "there is no MariaDB; scripts/test starts one");
    }
    let made: Vec<PathBuf> = fs::read_dir(place).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!made.is_empty(), "nobody races");
    let requests = callback::requests(PUSHES).await;
    for folder in made {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let whole = async {
            let running = Contestant::made(&name, folder).start(db, &[]).await;
            faults(&running).await.unwrap_or_else(|fault| panic!("{name}: {fault}\n{}", running.child.log()));
            let before = running.number("SELECT COUNT(*) FROM inbox_event").await;
            let load = sealed::push(running.child.address(), requests.clone(), 1, LIMIT).await;
            let stored = running.number("SELECT COUNT(*) FROM inbox_event").await - before;
            assert_eq!((load.failed, load.begun, stored), (0, PUSHES, PUSHES), "{name}\n{}", running.child.log());
            assert!(load.answers.len() as u64 > PUSHES, "{name}: no push came twice");
            running.end().await;
        };
        assert!(tokio::time::timeout(LIMIT, whole).await.is_ok(), "{name} took over {LIMIT:?}");
    }
}

/// Rows of a measurement that meets every bar, and each change that misses one.
struct Bars {
    rows: String,
    /// (what is replaced, by what, a word of the verdict).
    misses: &'static [(&'static str, &'static str, &'static str)],
}

#[tokio::test]
async fn a_callback_below_a_bar_fails_the_check() {
    // 1/(1/40000 + 1/40000) is 20000, of which 0.75 is 15000.
    check(Bars {
        rows: callback_rows("# cores: 2"),
        misses: &[
            ("15001", "14999", "of 1/(1/c + 1/d)"),
            ("24.90", "25.10", "ms p99"),
            ("\t0\tfailed", "\t1\tfailed", "requests not acknowledged"),
            ("c stores nothing", "load ceiling", "of 1/(1/c + 1/d)"),
        ],
    })
    .await;
    // Half of d is 20000, half of the parts is 10000; p99 has no bar there.
    let slow = callback_rows("# cores: 2\n# slow_fsync_ms: 2").replace("15001", "20001").replace("24.90", "99.00");
    check(Bars { rows: slow, misses: &[("20001", "19999", "of d on a slow disk")] }).await;
    let alone = callback_rows("# cores: 1").replace("15001", "10001").replace("24.90", "99.00");
    check(Bars { rows: alone, misses: &[("10001", "9999", "on one CPU")] }).await;
}

fn callback_rows(conditions: &str) -> String {
    let mut rows = format!("# verb: callback\n{conditions}\ncase\tper_s\tp99_ms\tfailed\tnote\n");
    for (case, rate) in [("a serve sqlite", 15001), ("c stores nothing", 40000), ("d commit sqlite", 40000)] {
        rows += &format!("{case}\t{rate}\t24.90\t0\tfailed\n");
    }
    rows
}

#[tokio::test]
async fn a_fault_below_a_bar_fails_the_check() {
    let rows = "# verb: faults\ndatabase\tcase\tper_s\tp99_ms\tfailed\twithout_row\n\
                sqlite\twell\t20000\t10.0\t0\t-\nsqlite\taway\t10001\t19.9\t0\t0\n\
                sqlite\tbeside jobs\t5000\t99.9\t0\t-\n\
                mariadb\twell\t16000\t9.0\t0\t-\nmariadb\taway\t9000\t17.9\t0\t0\n";
    check(Bars {
        rows: rows.to_owned(),
        misses: &[
            ("10001", "9999", "usual rate"),
            ("19.9", "20.1", "usual p99"),
            ("17.9", "18.1", "usual p99"),
            ("\t99.9", "\t100.1", "beside a purge"),
            ("19.9\t0\t0", "19.9\t1\t0", "not acknowledged"),
            ("17.9\t0\t0", "17.9\t0\t1", "exactly one row"),
            ("sqlite\twell\t20000\t10.0\t0\t-\n", "", "usual rate"),
        ],
    })
    .await;
}

#[tokio::test]
async fn a_race_below_a_bar_fails_the_check() {
    let mut rows = "# verb: race\nserver\tdatabase\tper_s\tfailed\n".to_owned();
    for (db, ours) in [("sqlite", 20001), ("mariadb", 10001)] {
        rows += &format!("wxops\t{db}\t{ours}\t0\ngo\t{db}\t5000\t0\npython\t{db}\t100\t0\n");
    }
    check(Bars {
        rows,
        misses: &[
            ("20001", "19999", "times the best"),
            ("10001", "9999", "times the best"),
            ("100\t0\n", "100\t1\n", "not acknowledged"),
            ("wxops\tmariadb\t10001\t0\n", "", "times the best"),
        ],
    })
    .await;
    let alone = "# verb: race\nserver\tdatabase\tper_s\tfailed\nwxops\tsqlite\t9\t0\n".to_owned();
    assert_eq!(judged(&alone, true).await, 1, "who runs alone has not won");
}

#[tokio::test]
async fn a_million_below_a_bar_fails_the_check() {
    let rows = "# verb: million\ndatabase\twhat\tsecond\tvalue\n\
                sqlite\trss_mib\t0\t40\nsqlite\trss_mib\t1\t40\nsqlite\trss_mib\t4\t49.9\n\
                sqlite\tacknowledged\t0.1\t10\nsqlite\tacknowledged\t3.751\t90\nsqlite\tacknowledged\t4.0\t100\n\
                sqlite\tfailed\t4\t0\nsqlite\tseconds\t4\t4\nsqlite\tpeak_mib\t4\t63.9\nsqlite\tdrain_s\t4\t0.39\n\
                sqlite\twithout_row\t4\t0\n";
    check(Bars {
        rows: rows.to_owned(),
        misses: &[
            ("3.751", "3.749", "the last tenth"),
            ("63.9", "64.0", "MiB of memory"),
            ("49.9", "50.1", "the second half's memory"),
            ("0.39", "0.41", "drained"),
            ("without_row\t4\t0", "without_row\t4\t1", "exactly one row"),
            ("failed\t4\t0", "failed\t4\t1", "not acknowledged"),
            ("sqlite\tdrain_s\t4\t0.39\n", "", "drained"),
        ],
    })
    .await;
}

#[tokio::test]
async fn a_start_below_a_bar_fails_the_check() {
    let rows = "# verb: start\nwhat\tdatabase\tvalue\tunit\nready\tsqlite\t49.9\tms\nready\tsqlite\t9.9\tms\n\
                ready\tsqlite\t99.9\tms\nrss\tsqlite\t14.9\tMiB\npss\tsqlite\t9\tMiB\nhelp\t-\t9.8\tms\nsize\t-\t24.9\tMiB\n";
    check(Bars {
        rows: rows.to_owned(),
        misses: &[
            ("\t49.9", "\t50.1", "until ready"),
            ("14.9", "15.0", "idle"),
            ("9.8", "10.1", "--help"),
            ("24.9", "25.1", "of binary"),
        ],
    })
    .await;
}

#[tokio::test]
async fn a_sync_below_a_bar_fails_the_check() {
    // 1,014 calls of 20 ms, 20 at once, are 1.014 s: more than the rows take; of a million the rows take longer.
    let mut rows =
        "# verb: sync\n# latency_ms: 20\n# concurrency: 20\nfollowers\tdatabase\tcase\twho\tseconds\tcalls\t\
                    calls_off\trows\trows_off\tpeak_mib\tp99_ms\tfailed\n"
            .to_owned();
    for (followers, calls, bulk, ours, peak) in
        [(100_000, "1014", "0.5", "1.26", "52.0"), (1_000_000, "10104", "20.0", "24.9", "63.9")]
    {
        for case in ["first", "again"] {
            rows += &format!("{followers}\tsqlite\t{case}\tupsert\t{bulk}\t{calls}\t-\t{followers}\t-\t-\t-\t-\n");
            rows += &format!("{followers}\tsqlite\t{case}\twxops\t{ours}\t{calls}\t0\t{followers}\t0\t{peak}\t-\t-\n");
        }
    }
    rows += "100000\tsqlite\tbeside\twxops\t9.0\t-\t-\t100000\t0\t52.0\t-\t-\n";
    rows += "100000\tsqlite\tbeside\tcallbacks\t9.0\t-\t-\t1800\t0\t-\t99.9\t0\n";
    check(Bars {
        rows,
        misses: &[
            ("first\twxops\t1.26", "first\twxops\t1.27", "times the floor"),
            ("again\twxops\t24.9", "again\twxops\t25.1", "times the floor"),
            ("again\twxops\t1.26\t1014\t0", "again\twxops\t1.26\t1015\t1", "calls that are not needed"),
            ("1000000\t0\t63.9", "999999\t1\t63.9", "exactly one row"),
            ("1000000\t0\t63.9", "1000000\t0\t64.1", "MiB of memory"),
            ("\t52.0", "\t51.0", "against the fewest"),
            ("\t99.9", "\t100.1", "ms p99 of callbacks beside a sync"),
            ("99.9\t0", "99.9\t1", "not acknowledged"),
            ("1800\t0", "1799\t1", "exactly one row"),
            ("again\twxops", "again\tasyncio", "times the floor"),
        ],
    })
    .await;
}

/// All of a small measurement but MariaDB and the client on asyncio, which need Python's packages.
#[tokio::test]
async fn a_sync_is_measured_with_its_calls_and_rows_counted() {
    if Command::new("python3").arg("--version").output().is_err() {
        return skip("speed::a_sync_is_measured_with_its_calls_and_rows_counted", "there is no python3");
    }
    let folder = tempfile::tempdir().unwrap();
    let (place, out) = (folder.path().to_str().unwrap(), folder.path().join("rows.tsv"));
    let done = tokio::process::Command::new("python3")
        .arg("-B")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/sync/main.py"))
        .args(["--wxops", env!("CARGO_BIN_EXE_wxops"), "--work", place, "--out", out.to_str().unwrap()])
        .args(["--followers", "300", "--db", "sqlite", "--clients", "wxops,sequential", "--rounds", "1"])
        .args(["--latency", "1ms", "--concurrency", "4"])
        .kill_on_drop(true)
        .output();
    let done = tokio::time::timeout(LIMIT, done).await.unwrap_or_else(|_| panic!("it took over {LIMIT:?}")).unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");

    let raw = bench::report::raw::Raw::read(&out).unwrap();
    let cells = |case: &str, who: &str| -> Vec<String> {
        let row = raw.rows().find(|row| row.is("case", case) && row.is("who", who));
        let row = row.unwrap_or_else(|| panic!("no {who}, {case}:\n{said}"));
        ["calls", "calls_off", "rows", "rows_off"].map(|name| row.text(name).to_owned()).to_vec()
    };
    // A page and the empty one behind it, three batches, a token; what is left of two quotas.
    assert_eq!(cells("first", "upsert"), ["6", "-", "300", "-"], "{said}");
    assert_eq!(cells("first", "wxops"), ["8", "0", "300", "0"], "{said}");
    assert_eq!(cells("again", "wxops"), ["7", "0", "300", "0"], "{said}");
    assert_eq!(cells("first", "sequential"), ["6", "0", "300", "0"], "{said}");
    assert_eq!(cells("beside", "wxops"), ["-", "-", "300", "0"], "{said}");
    assert_eq!(cells("beside", "callbacks")[3], "0", "{said}");
    let table = bench::report::Report::of(&raw).unwrap().table;
    for line in ["| 300 | sqlite | floor, first: of its ", "| 300 | sqlite | wxops, again |", "| sqlite, 300 |"] {
        assert!(table.contains(line), "{table}");
    }
}

/// The rows meet every bar; each change misses one, which the verdict names, and only --check makes it fail.
async fn check(bars: Bars) {
    assert_eq!(judged(&bars.rows, true).await, 0, "{}", verdicts(&bars.rows));
    for (from, to, word) in bars.misses {
        let missed = bars.rows.replace(from, to);
        assert_ne!(missed, bars.rows, "{from} is not in the rows");
        assert_eq!(judged(&missed, true).await, 1, "{to}:\n{}", verdicts(&missed));
        assert_eq!(judged(&missed, false).await, 0, "{to}: only --check fails");
        let verdicts = verdicts(&missed);
        assert!(verdicts.lines().any(|line| line.starts_with("MISSED") && line.contains(word)), "{word}:\n{verdicts}");
    }
}

async fn judged(rows: &str, check: bool) -> u8 {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rows.tsv");
    fs::write(&file, rows).unwrap();
    let file = file.to_str().unwrap();
    if check { bench::run(&["table", "--check", file]).await } else { bench::run(&["table", file]).await }
}

fn verdicts(rows: &str) -> String {
    let report = bench::report::Report::of(&bench::report::raw::Raw::parse(rows).unwrap()).unwrap();
    report.verdicts.iter().map(|verdict| format!("{verdict}\n")).collect()
}

#[tokio::test]
async fn rows_that_are_none_pass_no_check() {
    for rows in
        ["", "# verb: race\n", "# verb: race\nserver\tper_s\n", "# verb: dance\na\n1\n", "# verb: race\na\tb\n1\n"]
    {
        assert_eq!(judged(rows, true).await, 66, "{rows:?}");
    }
    assert_eq!(bench::run(&["table", "--check", "/nowhere/rows.tsv"]).await, 66);
    assert_eq!(bench::run(&["dance", "--out", "x"]).await, 2);
    assert_eq!(bench::run(&["race"]).await, 2);
}

#[test]
fn the_page_is_made_from_its_rows() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/performance.md");
    let made = page::filled(&page).unwrap();
    assert!(made == fs::read_to_string(&page).unwrap(), "docs/performance.md is not its rows': scripts/bench page");

    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.md");
    fs::write(&page, "a\n<!-- rows: r.tsv -->\nold: 1 % faster\n<!-- end -->\nz\n").unwrap();
    fs::write(folder.path().join("r.tsv"), callback_rows("# cores: 2\n# machine: a loom")).unwrap();
    assert_eq!(page::write(&page), 0);
    let made = fs::read_to_string(&page).unwrap();
    assert!(
        made.starts_with("a\n<!-- rows: r.tsv -->\n") && made.ends_with("[r.tsv](r.tsv).\n<!-- end -->\nz\n"),
        "{made}"
    );
    assert!(made.contains("a loom") && made.contains("| a serve sqlite | 15001 |") && !made.contains("old"), "{made}");
    assert_eq!(page::filled(&page).unwrap(), made, "a second time changes nothing");
}

/// The script around it, with a cargo that only tells how it was called.
#[test]
fn the_script_passes_the_verdict_on() {
    let folder = tempfile::tempdir().unwrap();
    for code in [0, 1] {
        let done = script(&folder, code, &["race", "--db", "sqlite", "--rounds", "1", "--check", "--out", "here.tsv"]);
        assert_eq!(done.code, Some(code), "{}{}", done.stdout, done.stderr);
        let out = folder.path().join("here.tsv");
        let wanted = format!("-- race --rounds 1 --seconds 3 --events 1000000 --db sqlite --out {}", out.display());
        assert!(done.stdout.contains(&wanted) && done.stdout.contains(" --check"), "{}", done.stdout);
        let done = script(&folder, code, &["table", "--check", "here.tsv"]);
        assert_eq!(done.code, Some(code), "{}{}", done.stdout, done.stderr);
        assert!(done.stdout.contains(&format!("-- table --check {}", out.display())), "{}", done.stdout);
    }
    let slips: [&[&str]; 9] = [
        &[],
        &["dance"],
        &["race", "--fsync", "2ms"],
        &["race", "--rounds", "0"],
        &["table"],
        &["page", "x"],
        &["start", "x"],
        &["sync", "--clients", "nobody"],
        &["race", "--full"],
    ];
    for slip in slips {
        let done = script(&folder, 0, slip);
        assert_eq!(done.code, Some(2), "{slip:?}");
        assert!(done.stderr.starts_with("usage: scripts/bench callback|race"), "{}", done.stderr);
    }
}

fn script(folder: &TempDir, code: i32, args: &[&str]) -> Outcome {
    let cargo = folder.path().join("cargo");
    fs::write(&cargo, format!("#!/bin/sh\ncase \"$*\" in *--no-run*) exit 0 ;; esac\necho \"$@\"\nexit {code}\n"))
        .unwrap();
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/bench");
    let done = Command::new(script).args(args).current_dir(folder).env("PATH", path).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Outcome { code: done.status.code(), stdout: text(done.stdout), stderr: text(done.stderr) }
}
