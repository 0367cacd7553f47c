//! Jobs by systemd and by cron: the shipped files are right, and each command in them does its work.

use crate::packaging::{repository, run, there};
use crate::process;
use crate::rows::{Db, skip};
use crate::stage::Stage;
use crate::stories::stories;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

stories! {
    the_token_unit_does_its_work,
}

/// The worst exposure `systemd-analyze security` may find, in tenths.
const EXPOSURE: &str = "15";
/// The binary's place in the shipped files.
const BINARY: &str = "/usr/local/bin/wxops";

#[test]
fn every_unit_is_verified_and_hardened() {
    if !there("systemd-analyze", &["--version"]) {
        return skip("scheduled::every_unit_is_verified_and_hardened", "systemd-analyze is not installed");
    }
    let folder = tempfile::tempdir().unwrap();
    for path in shipped() {
        let text = fs::read_to_string(&path).unwrap().replace(BINARY, env!("CARGO_BIN_EXE_wxops"));
        fs::write(folder.path().join(path.file_name().unwrap()), text).unwrap();
    }
    assert_eq!(verified_and_hardened(folder.path()), shipped().len());
}

#[test]
fn a_wrong_unit_is_found() {
    if !there("systemd-analyze", &["--version"]) {
        return skip("scheduled::a_wrong_unit_is_found", "systemd-analyze is not installed");
    }
    let folder = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(repository("systemd/wxops-token.timer")).unwrap();
    fs::write(folder.path().join("wxops-token.timer"), text.replace("*-*-* *:*:00", "each minute")).unwrap();
    let unit = fs::read_to_string(repository("systemd/wxops-token.service")).unwrap();
    let unit = unit.replace(BINARY, env!("CARGO_BIN_EXE_wxops"));
    fs::write(folder.path().join("wxops-token.service"), unit.replace("DynamicUser=yes", "DynamicUser=no")).unwrap();
    let verified = verify(folder.path());
    assert!(String::from_utf8_lossy(&verified.stderr).contains("calendar specification"), "{verified:?}");
    assert!(!security(&folder.path().join("wxops-token.service"), "5").status.success());
}

/// A job leaves what serve holds alone: it has the same user and database, and nothing that its end would take away.
#[test]
fn jobs_share_the_house_of_serve() {
    let serve = fs::read_to_string(repository("systemd/wxops.service")).unwrap();
    let walls = |unit: &str| -> Vec<String> {
        let from = unit.find("\nDynamicUser=yes").unwrap();
        unit[from..].lines().filter(|line| !line.is_empty() && *line != "[Install]").map(str::to_owned).collect()
    };
    let of_serve = walls(serve.split("\n[Install]").next().unwrap());
    for path in shipped().iter().filter(|path| is_job(path)) {
        let unit = fs::read_to_string(path).unwrap();
        assert_eq!(walls(&unit), of_serve, "{path:?}");
        for line in ["Type=oneshot", "User=wxops", "StateDirectory=wxops", "WorkingDirectory=/var/lib/wxops"] {
            assert!(unit.lines().any(|it| it == line), "{path:?} lacks {line}");
        }
        for line in ["User=wxops", "StateDirectory=wxops", "WorkingDirectory=/var/lib/wxops"] {
            assert!(serve.lines().any(|it| it == line), "serve lacks {line}");
        }
        // The folder would go with the job's end, and serve's configuration with it.
        assert!(!unit.contains("\nRuntimeDirectory="), "{path:?}");
        assert!(unit.contains("\nTimeoutStartSec="), "{path:?}");
        let tells = path.file_name().unwrap() == "wxops-failed@.service";
        assert_eq!(unit.contains("\nOnFailure=wxops-failed@%n.service\n"), !tells, "{path:?}");
        assert_eq!(unit.contains("\nSuccessExitStatus=75\n"), !tells, "{path:?}");
    }
}

async fn the_token_unit_does_its_work(stage: Stage) {
    let config = stage.config();
    let done = start(&stage, "wxops-token.service", &config, "").await;
    assert_eq!((done.code, done.stdout.as_str(), done.stderr.as_str()), (Some(0), "", ""));
    assert_eq!(stage.number("SELECT generation FROM access_token").await, 1);
    // The next minute has nothing to do.
    start(&stage, "wxops-token.service", &config, "").await.expect_code(0);
    assert_eq!(stage.number("SELECT generation FROM access_token").await, 1);
}

#[tokio::test]
async fn any_verb_is_a_job_and_a_failure_is_told() {
    let story = "scheduled::any_verb_is_a_job_and_a_failure_is_told";
    let Some(mut stage) = Stage::new(Db::Sqlite, story).await else { return };
    let config = stage.config();
    let done = start(&stage, "wxops-job@.service", &config, "events purge --older-than 90d --yes").await;
    assert_eq!(done.expect_code(0).stderr, "");
    let done = start(&stage, "wxops-job@.service", &config, "events purge --older-than 90d").await.expect_code(2);
    assert!(done.stderr.contains("add --yes"), "{}", done.stderr);

    // Nobody to tell: the journal says what to set.
    let done = start(&stage, "wxops-failed@.service", &config, "").await.expect_code(78);
    assert!(done.stderr.contains("WXOPS_ALERT_WEBHOOK"), "{}", done.stderr);
    let robot = wxops::sandbox::webhook(&format!("http://{}", stage.sandbox()), 1);
    stage.settings = format!("alert_webhook = \"{robot}\"\n");
    let config = stage.config();
    let done = start(&stage, "wxops-failed@.service", &config, "").await;
    assert!(matches!(done.code, Some(0 | 1)) && !done.stdout.is_empty(), "{done:?}");
}

/// The shipped units.
fn shipped() -> Vec<PathBuf> {
    let files = fs::read_dir(repository("systemd")).unwrap();
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

fn is_job(path: &Path) -> bool {
    path.extension().is_some_and(|it| it == "service") && path.file_name().unwrap() != "wxops.service"
}

/// Fails where a unit in the folder is wrong or exposed; how many there are.
fn verified_and_hardened(folder: &Path) -> usize {
    let done = verify(folder);
    assert!(done.status.success() && done.stderr.is_empty(), "{}", String::from_utf8_lossy(&done.stderr));
    let units = units_in(folder);
    for unit in units.iter().filter(|unit| unit.ends_with(".service")) {
        let exposed = security(Path::new(unit), EXPOSURE);
        assert!(exposed.status.success(), "{}", String::from_utf8_lossy(&exposed.stdout));
    }
    units.len()
}

/// Templates are looked at with an instance.
fn verify(folder: &Path) -> Output {
    let units = units_in(folder);
    let args: Vec<_> = ["verify", "--man=no"].into_iter().chain(units.iter().map(String::as_str)).collect();
    run("systemd-analyze", &args)
}

fn security(unit: &Path, threshold: &str) -> Output {
    run("systemd-analyze", &["security", "--offline=true", "--threshold", threshold, unit.to_str().unwrap()])
}

fn units_in(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files.map(|path| path.to_str().unwrap().to_owned()).collect()
}

/// Runs what stands behind `ExecStart=` of a shipped unit as systemd would, with a copy of the configuration among the
/// credentials.
async fn start(stage: &Stage, unit: &str, config: &str, args: &str) -> process::Outcome {
    let text = fs::read_to_string(repository(&format!("systemd/{unit}"))).unwrap();
    let folder = stage.folder().join("credentials");
    fs::create_dir_all(&folder).unwrap();
    let copy = folder.join("wxops.toml");
    fs::copy(config, &copy).unwrap();
    let command = text.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap().trim_start_matches('-');
    let command = command.strip_prefix(BINARY).unwrap();
    let credentials = folder.to_str().unwrap().to_owned();
    let command = command.replace("${CREDENTIALS_DIRECTORY}", &credentials).replace("$ARGS", args);
    assert!(!command.contains('$'), "{command}");
    let words: Vec<_> = command.split_whitespace().collect();
    process::run(stage.folder(), &words, &[("CREDENTIALS_DIRECTORY".to_owned(), credentials)], "").await
}
