//! `followers export`: every row once, in a form that other programs read, and a file only when it is whole.

use crate::process::{Outcome, WRAPPER};
use crate::rows::{Db, skip};
use crate::stage::{Stage, until};
use crate::stories::{stories, tell};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};

stories! {
    other_programs_read_what_was_written,
    columns_are_chosen_and_slips_named,
    a_spreadsheet_computes_nothing,
    a_file_is_whole_and_private,
    a_file_is_not_overwritten_unasked,
    a_full_disk_leaves_nothing,
    an_interrupt_leaves_nothing,
    a_closed_pipe_is_no_failure,
    every_row_is_there_once_while_people_come_and_go,
}

const COLUMNS: &str = "account,openid,unionid,nickname,avatar_url,sex,city,province,country,language,subscribe_scene,\
     qr_scene,remark,is_followed,follow_time,unfollow_time,created_at,updated_at,erased_at";

/// What spoils a CSV that is written carelessly.
const NICKNAMES: &[&str] = &[
    "",
    "小明",
    "a,b",
    "say \"hi\"",
    "\"",
    "two\nlines",
    "two\r\nlines",
    " blanks ",
    "😀",
    "\\",
    "\t",
    "=1+1",
    "\u{1b}[2J\u{202e}",
];

/// Rows 1 to `count`, whose followers are `oPERSON…` with the number.
pub async fn people(stage: &Stage, from: u32, count: u32) {
    let (numbers, openid) = match stage.db {
        Db::Sqlite => {
            let last = from + count - 1;
            (
                format!(
                    "(WITH RECURSIVE n(seq) AS (SELECT {from} UNION ALL SELECT seq + 1 FROM n WHERE seq < {last}) \
                 SELECT seq FROM n) AS n"
                ),
                "printf('oPERSON%021d', seq)",
            )
        }
        Db::MariaDb => (format!("seq_{from}_to_{}", from + count - 1), "CONCAT('oPERSON', LPAD(seq, 21, '0'))"),
    };
    let time = time(stage, "2026-11-21 00:00:00.000");
    stage
        .execute(&format!(
            "INSERT INTO user_mapping (account, openid, nickname, city, qr_scene, is_followed, follow_time, created_at, \
             updated_at) SELECT 'main', {openid}, '小明', '广州', 'scene', seq % 2, '{time}', '{time}', '{time}' \
             FROM {numbers} ORDER BY seq"
        ))
        .await;
}

/// A time as the columns of the database hold it.
pub fn time(stage: &Stage, text: &str) -> String {
    match stage.db {
        Db::Sqlite => text.replace(' ', "T") + "Z",
        Db::MariaDb => text.to_owned(),
    }
}

fn quoted(stage: &Stage, text: &str) -> String {
    let text = text.replace('\'', "''");
    if stage.db == Db::MariaDb { format!("'{}'", text.replace('\\', "\\\\")) } else { format!("'{text}'") }
}

fn openid(number: usize) -> String {
    format!("oPERSON{number:021}")
}

async fn export(stage: &Stage, args: &str) -> Outcome {
    let words: Vec<&str> =
        ["followers", "export"].into_iter().chain(args.split(' ').filter(|w| !w.is_empty())).collect();
    stage.verb(&words).await
}

/// Read by another's reader: the head, and the rows.
fn read_csv(text: &str) -> (String, Vec<Vec<String>>) {
    let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
    let head = reader.headers().unwrap().iter().collect::<Vec<_>>().join(",");
    (head, reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect())
}

async fn other_programs_read_what_was_written(stage: Stage) {
    people(&stage, 1, NICKNAMES.len() as u32 + 2).await;
    for (at, name) in NICKNAMES.iter().enumerate() {
        let set =
            format!("UPDATE user_mapping SET nickname = {} WHERE openid = '{}'", quoted(&stage, name), openid(at + 1));
        stage.execute(&set).await;
    }
    let (unknown, erased) = (openid(NICKNAMES.len() + 1), openid(NICKNAMES.len() + 2));
    stage.execute(&format!("UPDATE user_mapping SET nickname = NULL, sex = 2 WHERE openid = '{unknown}'")).await;
    let when = time(&stage, "2026-11-21 01:02:03.456");
    stage.execute(&format!("UPDATE user_mapping SET erased_at = '{when}' WHERE openid = '{erased}'")).await;

    let csv = export(&stage, "--as csv --raw").await.expect_code(0);
    assert_eq!(csv.stderr, "");
    let (head, rows) = read_csv(&csv.stdout);
    assert_eq!(head, COLUMNS);
    assert_eq!(rows.len(), NICKNAMES.len() + 1, "the erased person is left out");
    for (at, name) in NICKNAMES.iter().enumerate() {
        assert_eq!((rows[at][1].as_str(), rows[at][3].as_str()), (openid(at + 1).as_str(), *name));
    }
    let line = |number: usize| {
        let start = csv.stdout.find(&openid(number)).unwrap();
        csv.stdout[start..].split("\r\n").next().unwrap().to_owned()
    };
    let times = "2026-11-21T00:00:00.000Z,,2026-11-21T00:00:00.000Z,2026-11-21T00:00:00.000Z,";
    assert_eq!(line(1), format!("{},,\"\",,,广州,,,,,scene,,1,{times}", openid(1)), "known to be empty");
    assert_eq!(line(rows.len()), format!("{unknown},,,,2,广州,,,,,scene,,0,{times}"), "not known");

    let ndjson = export(&stage, "--as ndjson").await.expect_code(0);
    let objects = ndjson.json();
    let keys: String =
        ndjson.stdout.lines().next().unwrap().split('"').skip(1).step_by(2).collect::<Vec<_>>().join(",");
    assert!(keys.starts_with("account,main") || keys.starts_with("account,"), "{keys}");
    assert_eq!(objects.len(), rows.len());
    for (object, row) in objects.iter().zip(&rows) {
        assert_eq!(object["openid"], row[1].as_str());
        assert_eq!(object["nickname"].as_str().unwrap_or(""), row[3]);
        assert_eq!(object.as_object().unwrap().len(), COLUMNS.split(',').count());
    }
    let last = objects.last().unwrap();
    assert!(last["nickname"].is_null() && last["sex"] == 2 && last["is_followed"] == false, "{last}");
    assert_eq!(objects[0]["nickname"], "");
    assert_eq!(objects[0]["follow_time"], "2026-11-21T00:00:00.000Z");
    assert_eq!(export(&stage, "--json").await.expect_code(0).stdout, ndjson.stdout, "--json is NDJSON");

    // The list shows the same people the same way.
    let listed = stage.verb(&["--json", "followers", "list"]).await.expect_code(0).json();
    assert_eq!(listed.len(), rows.len() + 1);
    for (object, listed) in objects.iter().zip(&listed) {
        object.as_object().unwrap().iter().for_each(|(name, value)| assert_eq!(value, &listed[name], "{name}"));
    }
    let all = export(&stage, "--include-erased --where erased_at=2026-11-21").await.expect_code(0);
    assert_eq!(
        read_csv(&all.stdout).1.iter().map(|row| row[18].as_str()).collect::<Vec<_>>(),
        ["2026-11-21T01:02:03.456Z"]
    );
}

async fn columns_are_chosen_and_slips_named(stage: Stage) {
    people(&stage, 1, 3).await;
    stage.execute("UPDATE user_mapping SET info_due_at = 1795219200000, info_lease = 1234567890123456789").await;
    let csv = export(&stage, "--columns city,openid,info_due_at,id --where id<=2").await.expect_code(0);
    let row = |n: usize| format!("广州,{},2026-11-21T00:00:00.000Z,{n}\r\n", openid(n));
    assert_eq!(csv.stdout, format!("city,openid,info_due_at,id\r\n{}{}", row(1), row(2)));
    let ndjson = export(&stage, "--as ndjson --columns id,info_lease,info_attempts,info_due_at --where id=3").await;
    let line = "{\"id\":\"3\",\"info_lease\":\"1234567890123456789\",\"info_attempts\":0,\"info_due_at\":\"2026-11-21T00:00:00.000Z\"}\n";
    assert_eq!(ndjson.expect_code(0).stdout, line);
    for (args, said) in [
        ("--columns opnid", "did you mean openid?"),
        ("--columns openid,City", "did you mean city?"),
        ("--columns openid,", "there is no column \"\""),
        ("--columns zzzzzzzz", "the columns are: account,openid"),
        ("--columns tag", "there is no column \"tag\""),
        ("--columns id,openid,id", "the column id is named twice"),
        ("--columns id;--", "there is no column"),
        ("--as ndjson --excel", "--excel is for CSV"),
        ("--json --excel", "--excel is for CSV"),
        ("--as ndjson --raw", "--raw is for CSV"),
        ("--as cvs", "csv"),
        ("--as parquet", "ndjson"),
        ("--where ciyt=1", "did you mean city?"),
        ("--account nobody", "nobody"),
    ] {
        let outcome = export(&stage, args).await.expect_code(2);
        assert!(outcome.stderr.contains(said) && outcome.stdout.is_empty(), "{args}: {outcome:?}");
    }
    let chinese = stage.verb(&["--lang", "zh", "followers", "export", "--columns", "opnid"]).await.expect_code(2);
    assert_eq!(chinese.stderr, "错误：没有列 \"opnid\"；下一步：是不是 openid？\n");
    let none = export(&stage, "--where id=9").await.expect_code(0);
    assert_eq!(none.stdout, format!("{COLUMNS}\r\n"));
}

async fn a_spreadsheet_computes_nothing(stage: Stage) {
    let names =
        ["=1+1", "+86", "-1", "@SUM(A1)", "\tx", "\r=1", "＝1", "a=1", "'x", "小明", "=HYPERLINK(\"http://x\",1)"];
    people(&stage, 1, names.len() as u32).await;
    for (at, name) in names.iter().enumerate() {
        let set = format!("UPDATE user_mapping SET nickname = {} WHERE id = {}", quoted(&stage, name), at + 1);
        stage.execute(&set).await;
    }
    let texts = |text: &str| read_csv(text).1.into_iter().map(|row| row[0].clone()).collect::<Vec<_>>();
    for flag in ["", " --excel"] {
        let csv = export(&stage, &format!("--columns nickname,id{flag}")).await.expect_code(0).stdout;
        let mark = if flag.is_empty() { "" } else { "\u{feff}" };
        assert!(csv.starts_with(&format!("{mark}nickname,id\r\n'=1+1,1\r\n")), "{csv:?}");
        assert!(csv.contains("\r\n\"'=HYPERLINK(\"\"http://x\"\",1)\",11\r\n"), "{csv:?}");
        for (shown, name) in texts(csv.trim_start_matches('\u{feff}')).iter().zip(names) {
            let harmless = matches!(name, "a=1" | "'x" | "小明");
            assert_eq!(*shown, if harmless { name.to_owned() } else { format!("'{name}") });
        }
    }
    let raw = export(&stage, "--columns nickname,id --raw").await.expect_code(0);
    assert_eq!(texts(&raw.stdout), names, "--raw loses nothing");
    let objects = export(&stage, "--columns nickname --as ndjson").await.expect_code(0).json();
    assert!(objects.iter().zip(names).all(|(object, name)| object["nickname"] == name), "nor does NDJSON: {objects:?}");
    // A key stays a key, whatever it begins with.
    stage.execute("UPDATE user_mapping SET openid = '-key', unionid = '-key' WHERE id = 1").await;
    let keys = export(&stage, "--columns openid,unionid --where id=1").await.expect_code(0);
    assert_eq!(keys.stdout, "openid,unionid\r\n-key,-key\r\n");
}

async fn a_file_is_whole_and_private(stage: Stage) {
    people(&stage, 1, 2500).await;
    let whole = export(&stage, "").await.expect_code(0).stdout;
    let file = |name: &str| stage.folder().join(name);
    let text = |name: &str| fs::read_to_string(file(name)).unwrap();
    let done = export(&stage, "--output-file a.csv").await.expect_code(0);
    assert_eq!((done.stdout.as_str(), done.stderr.as_str()), ("2500 people written to a.csv\n", ""));
    assert_eq!(text("a.csv"), whole);
    assert_eq!(fs::metadata(file("a.csv")).unwrap().permissions().mode() & 0o777, 0o600);
    let quiet = stage.verb(&["-q", "followers", "export", "--as", "ndjson", "--output-file", "b.ndjson"]).await;
    assert_eq!(quiet.expect_code(0).stdout, "");
    assert_eq!(text("b.ndjson").lines().count(), 2500);
    let json =
        stage.verb(&["--json", "followers", "export", "--as", "csv", "--output-file", "c.csv"]).await.expect_code(0);
    assert_eq!(json.json(), [serde_json::json!({"file": "c.csv", "rows": 2500})]);
    assert_eq!(text("c.csv"), whole);
    assert_eq!(export(&stage, "--output-file -").await.expect_code(0).stdout, whole);

    // A link stays a link, a pipe a pipe; a device is written to and not replaced.
    symlink("a.csv", file("link")).unwrap();
    export(&stage, "--output-file link --yes --where id=1").await.expect_code(0);
    assert!(fs::symlink_metadata(file("link")).unwrap().is_symlink());
    assert_eq!(text("a.csv").matches("oPERSON").count(), 1);
    assert_eq!(export(&stage, "--output-file /dev/stdout --where id=1").await.expect_code(0).stdout.lines().count(), 3);
    let made = Command::new("mkfifo").arg(file("pipe")).status().await.unwrap();
    assert!(made.success());
    let pipe = file("pipe");
    let reader = tokio::task::spawn_blocking(move || fs::read_to_string(pipe).unwrap());
    export(&stage, "--output-file pipe").await.expect_code(0);
    assert_eq!(reader.await.unwrap(), whole);
    assert!(fs::metadata(file("pipe")).unwrap().file_type().is_fifo());
    no_part_is_left(&stage);
}

async fn a_file_is_not_overwritten_unasked(stage: Stage) {
    people(&stage, 1, 3).await;
    stage.write("a.csv", "precious");
    let text = || fs::read_to_string(stage.folder().join("a.csv")).unwrap();
    let refused = export(&stage, "--output-file a.csv").await.expect_code(2);
    assert!(refused.stderr.contains("a.csv is there") && refused.stderr.contains("--yes"), "{}", refused.stderr);
    let chinese = stage.verb(&["--lang", "zh", "followers", "export", "--output-file", "a.csv"]).await.expect_code(2);
    assert!(
        chinese.stderr.contains("a.csv 已存在，将被覆盖") && chinese.stderr.contains("--yes"),
        "{}",
        chinese.stderr
    );
    assert_eq!(text(), "precious");
    for (args, code, said) in [
        ("--output-file .", 2, "is a folder"),
        ("--output-file none/a.csv", 1, "No such file"),
        ("--output-file a.csv/b", 1, "writing a.csv/b failed"),
    ] {
        let outcome = export(&stage, args).await.expect_code(code);
        assert!(outcome.stderr.contains(said) && outcome.stdout.is_empty(), "{args}: {outcome:?}");
    }
    fs::set_permissions(stage.folder().join("a.csv"), fs::Permissions::from_mode(0o644)).unwrap();
    export(&stage, "--output-file a.csv -y").await.expect_code(0);
    assert_eq!(text().lines().count(), 4);
    let mode = fs::metadata(stage.folder().join("a.csv")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "the new file is private, whatever the old one was");
    no_part_is_left(&stage);
}

async fn a_full_disk_leaves_nothing(mut stage: Stage) {
    people(&stage, 1, 3000).await;
    let full = export(&stage, "--output-file /dev/full").await.expect_code(1);
    assert!(full.stderr.contains("writing /dev/full failed: No space left"), "{}", full.stderr);
    let full = stage.verb(&["--lang", "zh", "followers", "export", "--output-file", "/dev/full"]).await.expect_code(1);
    assert!(full.stderr.contains("写入 /dev/full 失败"), "{}", full.stderr);

    // A disk of 64 KiB, in a mount namespace of the verb's own.
    fs::create_dir(stage.folder().join("small")).unwrap();
    let script = stage.write(
        "on_a_small_disk",
        "#!/bin/sh\nmount -t tmpfs -o size=64k none small || exit 99\necho precious > small/a.csv\n\"$@\"\ncode=$?\n\
         ls -A small >&2\ncat small/a.csv >&2\nexit $code\n",
    );
    fs::set_permissions(&script, fs::Permissions::from_mode(0o700)).unwrap();
    let user = if fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0) {
        "-m"
    } else {
        "-rm"
    };
    stage.env.push((WRAPPER.to_owned(), format!("unshare {user} {}", script.display())));
    let full = export(&stage, "--output-file small/a.csv --yes").await;
    if full.stderr.contains("unshare") || full.code == Some(99) {
        return skip("export::a_full_disk_leaves_nothing", "no mount namespace can be had here");
    }
    let full = full.expect_code(1);
    assert!(full.stderr.contains("writing small/a.csv failed: No space left"), "{}", full.stderr);
    assert!(full.stderr.ends_with("\na.csv\nprecious\n"), "the file as it was, and nothing beside it: {}", full.stderr);
}

async fn an_interrupt_leaves_nothing(stage: Stage) {
    people(&stage, 1, 30_000).await;
    stage.write("a.csv", "precious");
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let child = start(&stage, &["followers", "export", "--output-file", "a.csv", "--yes"]);
        until("a part of the file", async || {
            let part = parts(&stage).pop()?;
            fs::metadata(part).is_ok_and(|part| part.len() > 0).then_some(())
        })
        .await;
        send(&child, signal).await;
        let ended = child.wait_with_output().await.unwrap();
        assert_eq!(ended.status.code(), Some(code), "{}", String::from_utf8_lossy(&ended.stderr));
        assert_eq!(fs::read_to_string(stage.folder().join("a.csv")).unwrap(), "precious");
        no_part_is_left(&stage);
    }
    let over = stage.verb(&["--timeout", "300ms", "followers", "export", "--output-file", "b.csv"]).await;
    assert!(matches!(over.code, Some(69)), "{over:?}");
    assert!(!stage.folder().join("b.csv").exists());
    no_part_is_left(&stage);
}

async fn a_closed_pipe_is_no_failure(stage: Stage) {
    people(&stage, 1, 3000).await;
    let config = stage.config();
    for args in ["--as csv", "--as ndjson"] {
        let binary = env!("CARGO_BIN_EXE_wxops");
        let script =
            format!("'{binary}' --config '{config}' followers export {args} | head -1; exit ${{PIPESTATUS[0]}}");
        let output = Command::new("bash").args(["-c", &script]).current_dir(stage.folder()).output().await.unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), stderr.as_ref()), (Some(0), ""), "{args}");
        assert_eq!(output.stdout.iter().filter(|byte| **byte == b'\n').count(), 1, "{args}");
    }
}

/// A slow reader holds the export up; meanwhile people come, change and go, and the database is held up by nothing.
async fn every_row_is_there_once_while_people_come_and_go(stage: Stage) {
    people(&stage, 1, 4000).await;
    let export = &["followers", "export", "--as", "ndjson"][..];
    for (verb, next) in [(export, 4001), (&["--json", "followers", "list"], 4501)] {
        let before = openids(&stage).await;
        let mut child = start(&stage, verb);
        let mut stdout = child.stdout.take().unwrap();
        let mut first = vec![0; 4096];
        stdout.read_exact(&mut first).await.unwrap();
        stands_still(&child).await;
        nothing_is_held(&stage).await;
        people(&stage, next, 500).await;
        stage.execute("UPDATE user_mapping SET nickname = '改名', is_followed = 1 - is_followed WHERE id > 2000").await;
        stage.execute("DELETE FROM user_mapping WHERE id = 3990").await;
        let after = openids(&stage).await;
        let mut rest = Vec::new();
        stdout.read_to_end(&mut rest).await.unwrap();
        assert!(child.wait().await.unwrap().success());
        let mut seen = BTreeMap::new();
        for line in String::from_utf8([first, rest].concat()).unwrap().lines() {
            let row: Value = serde_json::from_str(line).unwrap();
            *seen.entry(row["openid"].as_str().unwrap().to_owned()).or_insert(0) += 1;
        }
        assert!(seen.values().all(|count| *count == 1), "{verb:?}: a row came twice");
        let seen: BTreeSet<_> = seen.into_keys().collect();
        let stayed: BTreeSet<_> = before.intersection(&after).cloned().collect();
        assert!(stayed.len() > 3_900 && seen.is_superset(&stayed), "{verb:?}: a row is missing");
        assert!(seen.is_subset(&before), "{verb:?}: it ends with those who were there at its start");
    }
}

/// 100,000 rows need no more memory than 20,000, by when caches are full: 80,000 rows held are more
/// than what is allowed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_does_not_grow_on_sqlite() {
    let stage = Stage::new(Db::Sqlite, "export::memory_does_not_grow");
    tell(stage, Duration::from_secs(120), memory_does_not_grow).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_does_not_grow_on_mariadb() {
    let stage = Stage::new(Db::MariaDb, "export::memory_does_not_grow");
    tell(stage, Duration::from_secs(120), memory_does_not_grow).await;
}

async fn memory_does_not_grow(stage: Stage) {
    const FEW: u32 = 20_000;
    const MANY: u32 = 100_000;
    const ALLOWED_KIB: u64 = 12 * 1024;
    people(&stage, 1, FEW).await;
    let verbs = [
        &["followers", "export", "--as", "csv", "--where", "city = '广州' and not tag has 7"][..],
        &["followers", "list", "--where", "not sex = 1"],
    ];
    let mut few = Vec::new();
    for verb in verbs {
        few.push(peak(&stage, verb).await.1);
    }
    people(&stage, FEW + 1, MANY - FEW).await;
    for (verb, few) in verbs.into_iter().zip(few) {
        let (output, many) = peak(&stage, verb).await;
        let openids: Vec<_> = output.split("oPERSON").skip(1).map(|rest| rest[..21].parse::<u32>().unwrap()).collect();
        assert!(openids.iter().copied().eq(1..=MANY), "{verb:?}: every row, once and in order");
        assert!(many < few + ALLOWED_KIB, "{verb:?}: {few} KiB for {FEW} rows, {many} KiB for {MANY}");
    }
}

/// What it wrote, and the most memory it ever had (VmHWM), looked at while it runs.
async fn peak(stage: &Stage, verb: &[&str]) -> (String, u64) {
    let mut child = start(stage, verb);
    let status = format!("/proc/{}/status", child.id().unwrap());
    let mut stdout = child.stdout.take().unwrap();
    let reader = tokio::spawn(async move {
        let mut text = String::new();
        stdout.read_to_string(&mut text).await.map(|_| text).unwrap()
    });
    let (mut most, mut ended) = (0, None::<ExitStatus>);
    while ended.is_none() {
        let line = fs::read_to_string(&status).unwrap_or_default();
        let line = line.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
        most = most.max(line.trim_end_matches("kB").trim().parse().unwrap_or(0));
        tokio::time::sleep(Duration::from_millis(5)).await;
        ended = child.try_wait().unwrap();
    }
    assert!(ended.is_some_and(|status| status.success()), "{verb:?}");
    (reader.await.unwrap(), most)
}

async fn openids(stage: &Stage) -> BTreeSet<String> {
    stage.rows("SELECT openid FROM user_mapping").await.into_iter().filter_map(|mut row| row.pop()?).collect()
}

fn start(stage: &Stage, verb: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_wxops"))
        .args(["--config", &stage.config()])
        .args(verb)
        .current_dir(stage.folder())
        .kill_on_drop(true)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

async fn send(child: &Child, signal: &str) {
    let pid = child.id().unwrap().to_string();
    assert!(Command::new("kill").args([&format!("-{signal}"), &pid]).status().await.unwrap().success());
}

/// Waits until a process uses no more processor: it waits for its reader.
async fn stands_still(child: &Child) {
    let stat = format!("/proc/{}/stat", child.id().unwrap());
    let mut before = String::new();
    until("the export to wait for its reader", async || {
        let now: String = fs::read_to_string(&stat).unwrap().split(' ').skip(13).take(2).collect::<Vec<_>>().join(" ");
        tokio::time::sleep(Duration::from_millis(100)).await;
        let still = now == before;
        before = now;
        still.then_some(())
    })
    .await;
}

/// No snapshot and no lock of the export.
async fn nothing_is_held(stage: &Stage) {
    match stage.db {
        Db::Sqlite => {
            let rows = stage.rows("PRAGMA wal_checkpoint(TRUNCATE)").await;
            assert_eq!(rows[0][0].as_deref(), Some("0"), "a reader keeps the WAL: {rows:?}");
        }
        Db::MariaDb => {
            let held = "SELECT COUNT(*) FROM information_schema.innodb_trx t JOIN information_schema.processlist p \
                 ON p.id = t.trx_mysql_thread_id WHERE p.db = DATABASE() AND p.id <> CONNECTION_ID()";
            assert_eq!(stage.number(held).await, 0);
        }
    }
}

/// What stands beside a file while it is written.
fn parts(stage: &Stage) -> Vec<std::path::PathBuf> {
    let paths = fs::read_dir(stage.folder()).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|end| end == "part")).collect()
}

fn no_part_is_left(stage: &Stage) {
    assert_eq!(parts(stage), [""; 0].map(std::path::PathBuf::from));
}
