//! `db backup`: a copy of a SQLite file that is whole while serve writes; on MariaDB the line that makes one.

use crate::durability::{push_load, stored_numbers};
use crate::load::End;
use crate::messages::{OPENID, subscribe, text};
use crate::purge::old_rows;
use crate::rows::{Db, skip};
use crate::slow_disk::shim;
use crate::stage::{Stage, until};
use crate::stories::{LIMIT, tell};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Plays a story on SQLite.
async fn on_sqlite(name: &str, play: impl AsyncFnOnce(Stage)) {
    tell(Stage::new(Db::Sqlite, name), LIMIT, play).await;
}

/// Everything that was acknowledged before is in a copy that is made under load, and a serve goes on with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_under_load_is_whole_and_serves() {
    on_sqlite("backup::a_copy_under_load_is_whole_and_serves", async |stage| {
        old_rows(&stage, 20_000, 100, "done").await;
        let mut serve = stage.serve().await;
        push_load(&stage, &serve, End::Count(200), true).await;
        let copying = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            stage.verb(&["--json", "db", "backup", "copy.db"]).await.expect_code(0)
        };
        let load = push_load(&stage, &serve, End::After(Duration::from_millis(1200)), true);
        let (made, (_, report)) = tokio::join!(copying, load);
        println!("{report}\n{}", made.stdout);
        assert!(report.statuses.keys().all(|status| *status == 200), "{report}");
        let told = &made.json()[0];
        let copy = stage.folder().join("copy.db");
        let metadata = fs::metadata(&copy).unwrap();
        assert_eq!((metadata.permissions().mode() & 0o777, &told["bytes"]), (0o600, &metadata.len().into()));
        assert_eq!(told["file"], copy.canonicalize().unwrap().to_str().unwrap());
        assert_eq!(names(stage.folder(), "copy.db"), ["copy.db"], "nothing is left beside it");

        // The disk is lost; the copy takes its place.
        assert_eq!(serve.stop().await.0, Some(0));
        for name in names(stage.folder(), "wxops.db") {
            fs::remove_file(stage.folder().join(name)).unwrap();
        }
        fs::rename(&copy, stage.folder().join("wxops.db")).unwrap();
        let restored =
            shell(&stage.folder().join("wxops.db"), "PRAGMA integrity_check; SELECT COUNT(*) FROM inbox_event");
        let rows = told["rows"]["inbox_event"].as_i64().unwrap();
        assert_eq!(restored, format!("ok\n{rows}\n"));
        assert!(rows >= 20_200, "{rows}");
        let serve = stage.serve().await;
        assert_eq!(serve.push(&subscribe(OPENID)).await.status, 200);
        let person = ["--json", "followers", "show", OPENID];
        until("the new follower", async || (stage.verb(&person).await.code == Some(0)).then_some(())).await;
    })
    .await;
}

/// Of one moment: an event and its effect are both in it, or neither.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_names_what_was_acknowledged() {
    on_sqlite("backup::a_copy_names_what_was_acknowledged", async |stage| {
        let serve = stage.serve().await;
        let (acknowledged, _) = push_load(&stage, &serve, End::Count(300), true).await;
        stage.verb(&["db", "backup", "copy.db"]).await.expect_code(0);
        stage.settled().await;
        let keys = "SELECT HEX(dedupe_key) FROM inbox_event ORDER BY 1";
        let live: Vec<_> = stage.rows(keys).await.into_iter().flatten().flatten().collect();
        assert_eq!(shell(&stage.folder().join("copy.db"), keys).lines().collect::<Vec<_>>(), live);
        let stored = stored_numbers(&stage, &acknowledged.events).await;
        assert!(acknowledged.numbers.iter().all(|number| stored.get(number) == Some(&1)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_overwritten_without_being_told() {
    on_sqlite("backup::nothing_is_overwritten_without_being_told", async |stage| {
        let serve = stage.serve().await;
        assert_eq!(serve.push(&text(OPENID, "x", 1)).await.status, 200);
        let at = |name: &str| stage.folder().join(name);
        fs::write(at("letter.txt"), "dear").unwrap();
        fs::set_permissions(at("letter.txt"), fs::Permissions::from_mode(0o644)).unwrap();
        let refused = stage.verb(&["db", "backup", "letter.txt"]).await.expect_code(2);
        assert!(refused.stderr.contains("letter.txt") && refused.stderr.contains("--yes"), "{}", refused.stderr);
        let chinese = stage.verb(&["--lang", "zh", "db", "backup", "letter.txt"]).await.expect_code(2);
        assert!(chinese.stderr.contains("将替换") && chinese.stderr.contains("--yes"), "{}", chinese.stderr);
        assert_eq!(fs::read(at("letter.txt")).unwrap(), b"dear");
        let quiet = stage.verb(&["-q", "db", "backup", "letter.txt", "--yes"]).await.expect_code(0);
        assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
        assert_eq!(fs::metadata(at("letter.txt")).unwrap().permissions().mode() & 0o777, 0o600, "not the old one's");
        let table = stage.verb(&["db", "backup", "letter.txt", "-y"]).await.expect_code(0);
        assert!(table.stdout.contains("checked; 1 events, 0 people"), "{}", table.stdout);

        symlink(at("wxops.db"), at("another-name.db")).unwrap();
        fs::hard_link(at("wxops.db"), at("third-name.db")).unwrap();
        for own in
            ["wxops.db", "wxops.db-wal", "wxops.db-shm", "wxops.db.lock", "another-name.db", "third-name.db", "."]
        {
            let refused = stage.verb(&["db", "backup", own, "--yes"]).await.expect_code(2);
            assert!(refused.stdout.is_empty(), "{own}: {refused:?}");
        }
        let nowhere = stage.verb(&["db", "backup", "no/such/folder.db"]).await.expect_code(1);
        assert!(nowhere.stderr.contains("no/such/folder.db"), "{}", nowhere.stderr);
        stage.verb(&["db", "backup"]).await.expect_code(2);
        // A half copy of a run that was killed is in nobody's way.
        fs::write(at("copy.db.part"), "half").unwrap();
        stage.verb(&["db", "backup", "copy.db"]).await.expect_code(0);
        assert_eq!(names(stage.folder(), "copy.db"), ["copy.db"]);
        assert_eq!(serve.push(&text(OPENID, "x", 2)).await.status, 200, "the database is unharmed");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_database_none_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let env = [("DATABASE_URL".to_owned(), "sqlite://none.db".to_owned())];
    let refused = crate::process::run(folder.path(), &["db", "backup", "copy.db"], &env, "").await.expect_code(78);
    assert!(refused.stderr.contains("none.db"), "{}", refused.stderr);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// A signal in the middle: 143, and no half copy under any name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ended_copy_leaves_nothing() {
    let name = "backup::an_ended_copy_leaves_nothing";
    on_sqlite(name, async |stage| {
        let Some(shim) = shim(stage.folder()) else { return skip(name, "cc is not installed") };
        old_rows(&stage, 10_000, 100, "done").await;
        let copying = tokio::process::Command::new(env!("CARGO_BIN_EXE_wxops"))
            .args(["--config", &stage.config(), "db", "backup", "copy.db"])
            .current_dir(stage.folder())
            .envs([("LD_PRELOAD", shim.to_str().unwrap()), ("SLOW_FSYNC_MS", "500")])
            .kill_on_drop(true)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let part = stage.folder().join("copy.db.part");
        until("the copy to begin", async || part.exists().then_some(())).await;
        assert_eq!(fs::metadata(&part).unwrap().permissions().mode() & 0o777, 0o600, "private from the beginning");
        let pid = copying.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let ended = copying.wait_with_output().await.unwrap();
        assert_eq!(ended.status.code(), Some(143), "{}", String::from_utf8_lossy(&ended.stderr));
        assert!(names(stage.folder(), "copy.db").is_empty(), "{:?}", names(stage.folder(), "copy.db"));
    })
    .await;
}

/// The line that is named dumps what was stored; the password is not in it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_mariadb_mysqldump_is_named() {
    let name = "backup::on_mariadb_mysqldump_is_named";
    tell(Stage::new(Db::MariaDb, name), LIMIT, async |stage| {
        let serve = stage.serve().await;
        assert_eq!(serve.push(&text(OPENID, "您好 🎮", 1)).await.status, 200);
        let refused = stage.verb(&["db", "backup", "wxops.sql"]).await.expect_code(2);
        let line = refused.stderr.split_once("run (").unwrap().1.split_once("),").unwrap().0.to_owned();
        assert!(line.contains("mysqldump ") && line.contains("--single-transaction"), "{line}");
        let chinese = stage.verb(&["--lang", "zh", "db", "backup", "wxops.sql"]).await.expect_code(2);
        assert!(chinese.stderr.contains("请运行 (umask 077; mysqldump"), "{}", chinese.stderr);
        assert!(!stage.folder().join("wxops.sql").exists());

        let dumped = match Command::new("mysqldump").arg("--version").output() {
            Ok(_) => Command::new("sh").args(["-c", &line]).current_dir(stage.folder()).output().unwrap(),
            Err(_) => return skip(name, "mysqldump is not installed"),
        };
        assert!(dumped.status.success(), "{line}: {}", String::from_utf8_lossy(&dumped.stderr));
        let dump = fs::read_to_string(stage.folder().join("wxops.sql")).unwrap();
        assert!(dump.contains("CREATE TABLE `inbox_event`") && dump.contains("您好 🎮"), "{dump}");
        assert_eq!(fs::metadata(stage.folder().join("wxops.sql")).unwrap().permissions().mode() & 0o777, 0o600);
    })
    .await;

    let folder = tempfile::tempdir().unwrap();
    let env = [("DATABASE_URL".to_owned(), "mysql://wx:s3cr%2Fet@db.example.com/shop".to_owned())];
    let refused = crate::process::run(folder.path(), &["-vv", "db", "backup", "x.sql"], &env, "").await.expect_code(2);
    assert!(refused.stderr.contains("--host=db.example.com --port=3306 --user=wx --password --single"), "{refused:?}");
    assert!(!refused.stderr.contains("s3cr") && !refused.stdout.contains("s3cr"), "{refused:?}");
}

/// The files of a folder whose names begin so, in order.
fn names(folder: &Path, begin: &str) -> Vec<String> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = files.filter(|name| name.starts_with(begin)).collect();
    names.sort();
    names
}

/// What a file answers that nobody else has open.
fn shell(file: &Path, sql: &str) -> String {
    let db = rusqlite::Connection::open(file).unwrap();
    let mut said = String::new();
    for sql in sql.split("; ") {
        let mut statement = db.prepare(sql).unwrap();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let value = row.get_ref(0).unwrap();
            match value {
                rusqlite::types::ValueRef::Integer(number) => said += &number.to_string(),
                other => said += other.as_str().unwrap(),
            }
            said.push('\n');
        }
    }
    said
}
