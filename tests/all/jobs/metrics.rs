//! What node_exporter reads of a job: whole at every moment, by the rules of the format, and true after a failure.

use super::{purge, repair, with_a_second_account};
use crate::platform::Platform;
use crate::stage::Stage;
use crate::stories::stories;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

stories! {
    a_file_says_how_a_job_went,
    a_failure_keeps_the_last_success,
    every_account_stands_in_it,
    a_place_that_cannot_be_written_changes_nothing,
}

const SUCCESS: &str = "wxops_job_last_success_timestamp_seconds";
const RUN: &str = "wxops_job_last_run_timestamp_seconds";
const DURATION: &str = "wxops_job_duration_seconds";
const CODE: &str = "wxops_job_exit_code";
const ITEMS: &str = "wxops_job_items_total";

/// A page of the text format: what a strict reader and its lint insist on, and the series.
struct Page(BTreeMap<String, f64>);

impl Page {
    fn read(file: &Path) -> Page {
        let text = std::fs::read_to_string(file).unwrap();
        assert!(text.ends_with('\n'), "{text}");
        let (mut series, mut helped, mut family) = (BTreeMap::new(), BTreeSet::new(), None);
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, words) = help.split_once(' ').unwrap();
                assert!(words.len() > 5 && helped.insert(name.to_owned()), "{name} is one group with one help");
                let kind = lines.next().unwrap().strip_prefix(&format!("# TYPE {name} ")).unwrap();
                assert!(matches!(kind, "gauge" | "counter"), "{kind}");
                assert_eq!(kind == "counter", name.ends_with("_total"), "{name}");
                family = Some(name.to_owned());
                continue;
            }
            let (key, value) = line.rsplit_once("} ").unwrap();
            let (name, labels) = key.split_once('{').unwrap();
            assert_eq!(Some(name), family.as_deref(), "{line}");
            for label in labels.split(',') {
                let (label, text) = label.split_once('=').unwrap();
                assert!(matches!(label, "job" | "account" | "result"), "{line}");
                assert!(text.starts_with('"') && text.ends_with('"') && text.len() > 2, "{line}");
            }
            assert!(!value.contains(' '), "no timestamp: {line}");
            assert!(series.insert(format!("{key}}}"), value.parse().unwrap()).is_none(), "twice: {line}");
        }
        Page(series)
    }

    #[track_caller]
    fn of(&self, name: &str, account: &str) -> f64 {
        let of = |(key, value): (&String, &f64)| {
            (key.starts_with(&format!("{name}{{")) && key.contains(&format!("account=\"{account}\""))).then_some(*value)
        };
        self.0.iter().find_map(of).unwrap_or_else(|| panic!("no {name} of {account}: {:?}", self.0.keys()))
    }
}

fn now() -> f64 {
    std::time::UNIX_EPOCH.elapsed().unwrap().as_secs_f64()
}

async fn a_file_says_how_a_job_went(stage: Stage) {
    let file = stage.folder().join("wxops_purge.prom");
    let path = file.to_str().unwrap();
    crate::purge::old_rows(&stage, 12, 100, "done").await;
    let before = now();
    let quiet = purge(&stage, &["-q", "--metrics-file", path]).await.expect_code(0);
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
    let page = Page::read(&file);
    assert!(page.of(SUCCESS, "*") >= before - 1.0 && page.of(SUCCESS, "*") <= now(), "{:?}", page.0);
    assert_eq!(page.of(SUCCESS, "*"), page.of(RUN, "*"));
    assert!(page.of(DURATION, "*") > 0.0 && page.of(DURATION, "*") < 10.0);
    assert_eq!(page.of(CODE, "*"), 0.0);
    assert_eq!(page.0[&format!("{ITEMS}{{job=\"events purge\",account=\"*\",result=\"deleted\"}}")], 12.0);
    assert_eq!(page.0.len(), 5, "{:?}", page.0.keys());

    let first = std::fs::metadata(&file).unwrap();
    assert_eq!(first.permissions().mode() & 0o7777, 0o644);
    // Under a mask that would hide it, and over a file that nobody else could read.
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let line = format!(
        "umask 077; exec '{}' --config '{}' events purge --older-than 90d --yes --metrics-file '{path}'",
        env!("CARGO_BIN_EXE_wxops"),
        stage.config()
    );
    assert!(std::process::Command::new("sh").args(["-c", &line]).output().unwrap().status.success());
    let second = std::fs::metadata(&file).unwrap();
    assert_eq!(second.permissions().mode() & 0o7777, 0o644);
    assert_ne!(first.ino(), second.ino(), "renamed, not written over");
    assert_eq!(Page::read(&file).0[&format!("{ITEMS}{{job=\"events purge\",account=\"*\",result=\"deleted\"}}")], 12.0);
    let aside =
        std::fs::read_dir(stage.folder()).unwrap().filter_map(|entry| entry.unwrap().file_name().into_string().ok());
    assert_eq!(aside.filter(|name| name.contains("wxops_purge")).count(), 1, "nothing is left aside");
}

async fn a_failure_keeps_the_last_success(mut stage: Stage) {
    let file = stage.folder().join("repair.prom");
    let path = file.to_str().unwrap().to_owned();
    let platform = Platform::restart(&mut stage, &["--followers", "2"]).await;
    repair(&stage, &["--metrics-file", &path]).await.expect_code(0);
    let good = Page::read(&file);
    platform.faults(&["quota=1"]).await;
    repair(&stage, &["--metrics-file", &path]).await.expect_code(69);
    let bad = Page::read(&file);
    assert_eq!((bad.of(SUCCESS, "main"), bad.of(CODE, "main")), (good.of(SUCCESS, "main"), 69.0));
    assert!(bad.of(RUN, "main") > good.of(RUN, "main"));
    // Another run is under way: the file speaks of that which ended last.
    let hold = "INSERT INTO lease (name, holder, who, until) VALUES ('job:events repair', 7, 'other-host:42', 9e12)";
    stage.execute(hold).await;
    repair(&stage, &["--metrics-file", &path]).await.expect_code(75);
    assert_eq!(Page::read(&file).0, bad.0);

    // The file is lost: the database still knows.
    stage.execute("DELETE FROM lease").await;
    std::fs::remove_file(&file).unwrap();
    repair(&stage, &["--metrics-file", &path]).await.expect_code(69);
    assert!((Page::read(&file).of(SUCCESS, "main") - good.of(SUCCESS, "main")).abs() < 0.002);

    // The database is away: the file still knows.
    let config = std::fs::read_to_string(stage.config()).unwrap();
    let lines = config.lines().filter(|line| !line.starts_with("database_url")).collect::<Vec<_>>().join("\n");
    let away = stage.write("away.toml", &format!("database_url = \"mysql://root@127.0.0.1:1/none\"\n{lines}\n"));
    let args =
        ["--config", away.to_str().unwrap(), "events", "repair", "--since", "1d", "--yes", "--metrics-file", &path];
    crate::process::run(stage.folder(), &args, &[], "").await.expect_code(69);
    let kept = Page::read(&file);
    assert!((kept.of(SUCCESS, "main") - good.of(SUCCESS, "main")).abs() < 0.002);
    std::fs::remove_file(&file).unwrap();
    crate::process::run(stage.folder(), &args, &[], "").await.expect_code(69);
    let never = Page::read(&file);
    assert_eq!((never.of(SUCCESS, "main"), never.of(CODE, "main")), (0.0, 69.0), "as far as anybody knows");
}

async fn every_account_stands_in_it(mut stage: Stage) {
    let file = stage.folder().join("repair.prom");
    let path = file.to_str().unwrap().to_owned();
    let _platform = with_a_second_account(&mut stage, &["--followers", "3"]).await;
    repair(&stage, &["--account", "all", "--metrics-file", &path]).await.expect_code(0);
    let page = Page::read(&file);
    assert_eq!((page.of(CODE, "main"), page.of(CODE, "second")), (0.0, 0.0));
    // One of them fails: the other one's word is not touched by it.
    let secret = std::mem::replace(&mut stage.keys.secret, "f".repeat(32));
    stage.execute("DELETE FROM access_token").await;
    repair(&stage, &["--account", "all", "--metrics-file", &path]).await.expect_code(77);
    stage.keys.secret = secret;
    let after = Page::read(&file);
    assert_eq!((after.of(CODE, "main"), after.of(CODE, "second")), (77.0, 0.0));
    assert_eq!(after.of(SUCCESS, "main"), page.of(SUCCESS, "main"));
    assert!(after.of(SUCCESS, "second") > page.of(SUCCESS, "second"));
    // Another job's word stays in a file that both write.
    purge(&stage, &["--metrics-file", &path]).await.expect_code(0);
    assert_eq!(Page::read(&file).of(CODE, "main"), 77.0);
}

async fn a_place_that_cannot_be_written_changes_nothing(stage: Stage) {
    let none = stage.folder().join("none/wxops.prom");
    let done = purge(&stage, &["--metrics-file", none.to_str().unwrap()]).await.expect_code(0);
    assert!(done.stderr.contains("WARN") && done.stderr.contains("none/wxops.prom"), "{}", done.stderr);
    let folder = stage.folder().join("a.prom");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("x"), "").unwrap();
    let done = purge(&stage, &["--lang", "zh", "--metrics-file", folder.to_str().unwrap()]).await.expect_code(0);
    assert!(done.stderr.contains("无法写入"), "{}", done.stderr);
    let quiet = purge(&stage, &["-q", "--metrics-file", folder.to_str().unwrap()]).await.expect_code(0);
    assert_eq!(quiet.stderr, "");
}
