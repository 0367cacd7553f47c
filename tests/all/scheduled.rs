//! Jobs by systemd and by cron: the shipped files are right, those that `init` writes too, and each command in them
//! does its work.

mod crontab;

use crate::drain::Crm;
use crate::packaging::{repository, run, there};
use crate::process;
use crate::rows::{Db, skip};
use crate::stage::{Stage, until};
use crate::stories::stories;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Output;

stories! {
    the_token_unit_does_its_work,
    the_drain_unit_does_its_work,
    the_queues_daemon_does_its_work,
    every_line_of_the_crontab_is_silent,
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
        unit[from..]
            .lines()
            .take_while(|line| *line != "[Install]")
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let of_serve = walls(&serve);
    for path in shipped().iter().filter(|path| is_job(path)) {
        let unit = fs::read_to_string(path).unwrap();
        assert_eq!(walls(&unit), of_serve, "{path:?}");
        for line in ["User=wxops", "StateDirectory=wxops", "WorkingDirectory=/var/lib/wxops"] {
            assert!(unit.lines().any(|it| it == line), "{path:?} lacks {line}");
            assert!(serve.lines().any(|it| it == line), "serve lacks {line}");
        }
        // The folder would go with the job's end, and serve's configuration with it.
        assert!(!unit.contains("\nRuntimeDirectory="), "{path:?}");
        let tells = path.file_name().unwrap() == "wxops-failed@.service";
        let goes_on = path.file_name().unwrap() == "wxops-queue.service";
        assert_eq!(unit.contains("\nType=oneshot\n"), !goes_on, "{path:?}");
        assert_eq!(unit.contains("\nType=notify\nNotifyAccess=main\nWatchdogSec="), goes_on, "{path:?}");
        assert_eq!(unit.contains("\nTimeoutStartSec="), !goes_on, "{path:?}");
        assert_eq!(unit.contains("\nOnFailure=wxops-failed@%n.service\n"), !tells, "{path:?}");
        assert_eq!(unit.contains("\nSuccessExitStatus=75\n"), !tells && !goes_on, "{path:?}");
        // Else systemd would warn of it at each start.
        assert!(!unit.contains("$ARGS") || unit.contains("\nEnvironment"), "{path:?}");
    }
}

async fn the_token_unit_does_its_work(stage: Stage) {
    let unit = shipped_for(&stage, "wxops-token.service");
    let done = start(&stage, &unit, "").await;
    assert_eq!((done.code, done.stdout.as_str(), done.stderr.as_str()), (Some(0), "", ""));
    assert_eq!(stage.number("SELECT generation FROM access_token").await, 1);
    // The next minute has nothing to do.
    start(&stage, &unit, "").await.expect_code(0);
    assert_eq!(stage.number("SELECT generation FROM access_token").await, 1);
}

async fn the_drain_unit_does_its_work(stage: Stage) {
    let crm = Crm::new(stage, &[], "zhang", "").await;
    crm.register(2, 2).await;
    let unit = shipped_for(&crm.stage, "wxops-drain.service");
    let done = start(&crm.stage, &unit, "").await;
    assert_eq!((done.code, done.stdout.as_str(), done.stderr.as_str()), (Some(0), "", ""));
    assert_eq!((crm.count("sent").await, crm.received().await.len()), (2, 2));
    // The next minute has nothing to do; and the night's job finds nothing that is old.
    start(&crm.stage, &unit, "--digest 10m").await.expect_code(0);
    let job = shipped_for(&crm.stage, "wxops-job@.service");
    let done = start(&crm.stage, &job, "queue cleanup --older-than 30d --yes").await.expect_code(0);
    assert!(done.stdout.contains("0 notifications deleted") && done.stderr.is_empty(), "{done:?}");
    let (old, due) = match crm.stage.db {
        Db::Sqlite => ("'2026-01-01T00:00:00.000Z'", "0"),
        Db::MariaDb => ("'2026-01-01'", "'2026-01-01'"),
    };
    crm.stage
        .execute(&format!("UPDATE member_notification_queue SET processed_at = {old}, available_at = {due}"))
        .await;
    start(&crm.stage, &job, "queue cleanup --older-than 30d --yes").await.expect_code(0);
    assert_eq!(crm.stage.number("SELECT COUNT(*) FROM member_notification_queue").await, 0);
}

/// It tells systemd that it is ready, that it lives, and that it stops.
async fn the_queues_daemon_does_its_work(stage: Stage) {
    let crm = Crm::new(stage, &[], "zhang", "").await;
    let systemd = UnixDatagram::bind(crm.stage.folder().join("notify")).unwrap();
    systemd.set_read_timeout(Some(crate::stage::PATIENCE)).unwrap();
    let said = || {
        let mut words = [0; 512];
        let length = systemd.recv(&mut words).unwrap();
        String::from_utf8_lossy(&words[..length]).into_owned()
    };
    let unit = shipped_for(&crm.stage, "wxops-queue.service");
    let (words, mut env) = command(&crm.stage, &unit, "");
    env.push(("NOTIFY_SOCKET".into(), crm.stage.folder().join("notify").display().to_string()));
    env.push(("WATCHDOG_USEC".into(), "400000".into()));
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let mut daemon = process::Server::start_silent_in(crm.stage.folder(), &words, &env);
    assert!(said().contains("READY=1"));
    crm.register(1, 1).await;
    until("the message", async || (crm.count("sent").await == 1).then_some(())).await;
    assert!((0..3).all(|_| said().contains("WATCHDOG=1")));
    daemon.signal("TERM");
    assert_eq!(daemon.wait().await, Some(0), "{}", daemon.log());
    assert!((0..100).any(|_| said().contains("STOPPING=1")));
    assert!(daemon.log().lines().all(|line| line.starts_with('<')), "{}", daemon.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sync_unit_does_its_work() {
    for db in [Db::Sqlite, Db::MariaDb] {
        let story = "scheduled::the_sync_unit_does_its_work";
        let Some(stage) = Stage::with_followers(db, story, 250).await else { continue };
        let unit = shipped_for(&stage, "wxops-sync.service");
        let file = stage.folder().join("sync.prom");
        let done = start(&stage, &unit, &format!("--metrics-file {}", file.display())).await.expect_code(0);
        assert!(done.stdout.contains("250"), "{done:?}");
        assert_eq!(stage.number("SELECT COUNT(*) FROM user_mapping WHERE is_followed = 1").await, 250);
        assert!(fs::read_to_string(file).unwrap().contains("wxops_job_exit_code{"));
    }
}

#[tokio::test]
async fn any_verb_is_a_job_and_a_failure_is_told() {
    let story = "scheduled::any_verb_is_a_job_and_a_failure_is_told";
    let Some(mut stage) = Stage::new(Db::Sqlite, story).await else { return };
    let job = shipped_for(&stage, "wxops-job@.service");
    let done = start(&stage, &job, "events purge --older-than 90d --yes").await;
    assert_eq!(done.expect_code(0).stderr, "");
    let done = start(&stage, &job, "events purge --older-than 90d").await.expect_code(2);
    assert!(done.stderr.contains("add --yes"), "{}", done.stderr);

    // Nobody to tell: the journal says what to set.
    let failed = shipped_for(&stage, "wxops-failed@.service");
    let done = start(&stage, &failed, "").await.expect_code(78);
    assert!(done.stderr.contains("WXOPS_ALERT_WEBHOOK"), "{}", done.stderr);
    let robot = wxops::sandbox::webhook(&format!("http://{}", stage.sandbox()), 1);
    stage.settings = format!("alert_webhook = \"{robot}\"\n");
    stage.config();
    let done = start(&stage, &failed, "").await;
    assert!(done.expect_code(0).stdout.contains("callbacks"));
}

#[test]
fn the_crontab_is_right() {
    let jobs = crontab::jobs(&fs::read_to_string(repository("cron/wxops")).unwrap(), true).unwrap();
    assert!(jobs.len() >= 7, "{jobs:?}");
    for job in jobs {
        assert_eq!(job.user.as_deref(), Some("wxops"));
        let call = format!("{BINARY} --config /etc/wxops/wxops.toml -q --timeout ");
        assert!(job.command.starts_with(&call), "{}", job.command);
    }
}

/// As cron would run them, with not even what cron sets.
async fn every_line_of_the_crontab_is_silent(stage: Stage) {
    let mut crm = Crm::new(stage, &[], "zhang", "").await;
    crm.register(1, 1).await;
    let robot = wxops::sandbox::webhook(&format!("http://{}", crm.stage.sandbox()), 1);
    crm.stage.settings.insert_str(0, &format!("alert_webhook = \"{robot}\"\n"));
    let stage = &crm.stage;
    let printed = stage.verb(&["init", "--crontab"]).await.expect_code(0);
    assert_eq!(printed.stderr, "");
    assert_eq!(stage.verb(&["-q", "init", "--crontab"]).await.stdout, printed.stdout);
    assert!(printed.stdout.contains("\n* * * * * ") && printed.stdout.contains(" queue drain --max-time 50s\n"));
    let jobs = crontab::jobs(&printed.stdout, false).unwrap();
    let mut done = 0;
    for job in &jobs {
        let ended = run("timeout", &["8", "env", "-i", "/bin/sh", "-c", &job.command]);
        assert!(ended.status.success(), "{}: {ended:?}", job.command);
        assert!(ended.stdout.is_empty() && ended.stderr.is_empty(), "{}: {ended:?}", job.command);
        done += 1;
    }
    assert_eq!(done, jobs.len());
    assert_eq!(stage.number("SELECT generation FROM access_token WHERE account = 'main'").await, 1);
    assert_eq!((crm.count("sent").await, crm.received().await.len()), (1, 1));
}

/// The queue's jobs are on where somebody is to be told, and `serve` does not do it.
#[tokio::test]
async fn jobs_of_the_queue_are_on_where_it_is_used() {
    let story = "scheduled::jobs_of_the_queue_are_on_where_it_is_used";
    let Some(mut stage) = Stage::new(Db::Sqlite, story).await else { return };
    let on = async |stage: &Stage| {
        let printed = stage.verb(&["init", "--crontab"]).await.expect_code(0).stdout;
        let jobs = printed.lines().filter(|line| !line.starts_with('#') && line.contains(" queue "));
        (jobs.filter(|job| job.contains(" queue drain ")).count(), printed.contains("\n53 4 * * * "))
    };
    assert_eq!(on(&stage).await, (0, false));
    let app = "[wecom.crm]\ncorp_id = \"ww0\"\nagent_id = 1\nsecret = \"s\"\nto_user = \"zhang\"\n";
    stage.settings = app.into();
    assert_eq!(on(&stage).await, (1, true));
    fs::create_dir(stage.folder().join("units")).unwrap();
    let written = stage.verb(&["init", "--systemd", "units"]).await.expect_code(0);
    assert!(written.stdout.ends_with("systemctl enable --now wxops-queue.service\n"), "{}", written.stdout);
    stage.settings = format!("[queue]\nin_serve = true\n{app}");
    assert_eq!(on(&stage).await, (0, true));
}

/// Where `.env` and a database of the folder are used, a line goes there first; whatever the folder is called.
#[tokio::test]
async fn a_crontab_goes_where_its_files_are() {
    let Some(stage) = Stage::new(Db::Sqlite, "scheduled::a_crontab_goes_where_its_files_are").await else { return };
    let place = stage.folder().join("it's 100% ours");
    fs::create_dir(&place).unwrap();
    process::run(&place, &["init"], &[], "").await.expect_code(0);
    let env = format!(
        "WECHAT_APP_ID={}\nWECHAT_APP_SECRET={}\nWECHAT_API_BASE=http://{}\n",
        stage.keys.app_id,
        stage.keys.secret,
        stage.sandbox()
    );
    let env = fs::read_to_string(place.join(".env")).unwrap() + &env;
    fs::write(place.join(".env"), env).unwrap();
    let variable = [("WXOPS_LOG".to_owned(), "warn".to_owned())];
    let printed = process::run(&place, &["init", "--crontab"], &variable, "").await.expect_code(0);
    assert!(printed.stderr.contains("WXOPS_LOG is set in this shell"), "{}", printed.stderr);
    let jobs = crontab::jobs(&printed.stdout, false).unwrap();
    let ended = run("timeout", &["8", "env", "-i", "/bin/sh", "-c", &jobs[0].command]);
    assert!(ended.status.success() && ended.stderr.is_empty(), "{}: {ended:?}", jobs[0].command);
    let shown = process::run(&place, &["token", "show", "--json"], &[], "").await.expect_code(0);
    assert_eq!(shown.json()[0]["generation"], "1", "{}", shown.stdout);

    // Where nothing is set up, the place of the service is taken, and said to be empty.
    let bare = tempfile::tempdir().unwrap();
    let printed = process::run(bare.path(), &["--json", "init", "--crontab"], &[], "").await.expect_code(0);
    let block = printed.json()[0]["crontab"].as_str().unwrap().to_owned();
    assert!(block.contains(" --config /etc/wxops/wxops.toml -q"), "{block}");
    let said = process::run(bare.path(), &["--lang", "zh", "init", "--crontab"], &[], "").await.expect_code(0);
    assert!(said.stderr.contains("目前还没有配置"), "{}", said.stderr);
}

#[tokio::test]
async fn init_writes_units_that_work_where_it_stands() {
    let story = "scheduled::init_writes_units_that_work_where_it_stands";
    let Some(mut stage) = Stage::new(Db::Sqlite, story).await else { return };
    // The AppSecret stands in a file of its own, and so do templates of notifications.
    let secret = stage.write("app_secret", &stage.keys.secret);
    stage.settings = "[queue]\ntemplate = 'new.txt'\n[[queue.rule]]\ntemplate = 'templates/vip.txt'\n".to_owned()
        + "[[queue.rule]]\ntemplate = '/usr/share/wxops/open.txt'\n";
    let config = fs::read_to_string(stage.config()).unwrap();
    let config = config.replace(&format!("secret = \"{}\"", stage.keys.secret), "app_secret_file = \"app_secret\"");
    let config = stage.write("wxops.toml", &config);
    let units = tempfile::tempdir().unwrap();
    let init = async |args: &[&str]| {
        let args = [&["--config", config.to_str().unwrap(), "init", "--systemd", units.path().to_str().unwrap()], args];
        process::run(stage.folder(), &args.concat(), &[], "").await
    };
    let made = init(&["--json"]).await.expect_code(0);
    assert_eq!(made.json()[0]["written"].as_array().unwrap().len(), shipped().len());
    let shown = init(&["--yes", "-v"]).await.expect_code(0).stdout;
    assert!(shown.contains("services can't read templates/vip.txt; put it beside"), "{shown}");
    assert!(!shown.contains("open.txt") && !shown.contains("read new.txt"), "{shown}");
    for unit in shipped() {
        let written = units.path().join(unit.file_name().unwrap());
        assert_eq!(fs::metadata(&written).unwrap().permissions().mode() & 0o7777, 0o644);
        let text = fs::read_to_string(&written).unwrap();
        assert!(!text.contains(BINARY) && !text.contains("/etc/wxops"), "{text}");
    }
    if there("systemd-analyze", &["--version"]) {
        assert_eq!(verified_and_hardened(units.path()), shipped().len());
    } else {
        skip(story, "systemd-analyze is not installed");
    }
    let read = |name: &str| fs::read_to_string(units.path().join(name)).unwrap();
    let (folder, secret) = (stage.folder().display(), secret.display());
    let serve = read("wxops.service");
    assert!(
        serve.contains(&format!("cp -t /run/wxops {folder}/wxops.toml {secret} {folder}/new.txt && chown")),
        "{serve}"
    );
    for (unit, has) in [("wxops-drain.service", true), ("wxops-queue.service", true), ("wxops-token.service", false)] {
        let line = format!("\nLoadCredential=new.txt:{folder}/new.txt\n");
        assert_eq!(read(unit).contains(&line), has, "{unit}");
    }
    assert!(read("wxops-job@.service").contains(&format!("EnvironmentFile={folder}/jobs/%i.env\n")));
    let token = read("wxops-token.service");
    assert!(token.contains(&format!("\nLoadCredential=app_secret:{secret}\n")), "{token}");
    start(&stage, &token, "").await.expect_code(0);
    assert_eq!(stage.number("SELECT generation FROM access_token").await, 1);

    let again = init(&[]).await.expect_code(0);
    assert!(again.stdout.contains("nothing was changed"), "{}", again.stdout);
    // What somebody wrote stays, and nothing else is written, until that is said to be meant.
    fs::write(units.path().join("wxops-sync.timer"), "mine").unwrap();
    fs::remove_file(units.path().join("wxops.socket")).unwrap();
    let refused = init(&[]).await.expect_code(2);
    assert!(refused.stderr.contains("wxops-sync.timer") && refused.stderr.contains("--yes"), "{}", refused.stderr);
    assert_eq!((read("wxops-sync.timer").as_str(), units.path().join("wxops.socket").exists()), ("mine", false));
    let forced = init(&["--yes", "--json"]).await.expect_code(0).json();
    assert_eq!((forced[0]["replaced"].as_array().unwrap().len(), read("wxops-sync.timer") == "mine"), (1, false));
    assert_eq!(fs::read_dir(units.path()).unwrap().count(), shipped().len());
}

#[tokio::test]
async fn init_says_what_units_can_not_have() {
    let folder = tempfile::tempdir().unwrap();
    let init = async |args: &[&str]| process::run(folder.path(), args, &[], "").await;
    fs::write(folder.path().join("file"), "").unwrap();
    for dir in ["nowhere", "file"] {
        let refused = init(&["init", "--systemd", dir]).await.expect_code(2);
        assert!(refused.stderr.contains(dir) && refused.stderr.contains("/etc/systemd/system"), "{}", refused.stderr);
    }
    init(&["init", "--crontab", "--systemd", "."]).await.expect_code(2);
    init(&["init", "--crontab", "--yes"]).await.expect_code(2);
    init(&["init", "--crontab", "--dir", "x"]).await.expect_code(2);

    let private = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    };
    private("a b/wxops.toml", "");
    fs::create_dir(folder.path().join("units")).unwrap();
    let refused = init(&["--config", "a b/wxops.toml", "init", "--systemd", "units"]).await.expect_code(1);
    assert!(refused.stderr.contains("a b/wxops.toml"), "{}", refused.stderr);
    assert_eq!(fs::read_dir(folder.path().join("units")).unwrap().count(), 0);

    // A file that only root reads, by its full path; settings of this folder and of this shell; a place unseen.
    let secret = folder.path().join("secrets/app");
    private("secrets/app", "secret");
    private("c/wxops.toml", &format!("[official.main]\napp_id = \"wx1\"\napp_secret_file = {secret:?}\n"));
    let made = init(&["--config", "c/wxops.toml", "init", "--systemd", "units"]).await.expect_code(0);
    assert!(made.stdout.contains(&format!("services can't read {}", secret.display())), "{}", made.stdout);
    private("wxops.toml", "");
    let made = init(&["init", "--systemd", "units", "--yes"]).await.expect_code(0);
    assert!(made.stdout.contains("read /etc/wxops/wxops.toml alone"), "{}", made.stdout);
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

/// A shipped unit for the stage's configuration.
fn shipped_for(stage: &Stage, unit: &str) -> String {
    let text = fs::read_to_string(repository(&format!("systemd/{unit}"))).unwrap();
    text.replace("/etc/wxops/wxops.toml", &stage.config())
}

/// Runs what stands behind `ExecStart=` as systemd would, with the credentials that the unit asks for.
async fn start(stage: &Stage, unit: &str, args: &str) -> process::Outcome {
    let (words, env) = command(stage, unit, args);
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    process::run(stage.folder(), &words, &env, "").await
}

/// The arguments and the environment of that.
fn command(stage: &Stage, unit: &str, args: &str) -> (Vec<String>, Vec<(String, String)>) {
    let folder = stage.folder().join("credentials");
    fs::create_dir_all(&folder).unwrap();
    for credential in unit.lines().filter_map(|line| line.strip_prefix("LoadCredential=")) {
        let (id, path) = credential.split_once(':').unwrap();
        fs::copy(path, folder.join(id)).unwrap();
    }
    let command = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let (program, command) = command.trim_start_matches('-').split_once(' ').unwrap();
    assert!([BINARY, env!("CARGO_BIN_EXE_wxops")].contains(&program), "{program}");
    let credentials = folder.to_str().unwrap().to_owned();
    let command = command.replace("${CREDENTIALS_DIRECTORY}", &credentials).replace("$ARGS", args);
    assert!(!command.contains('$'), "{command}");
    let words = command.split_whitespace().map(str::to_owned).collect();
    (words, vec![("CREDENTIALS_DIRECTORY".to_owned(), credentials)])
}
