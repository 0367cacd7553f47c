//! Both READMEs are held to the program: their commands, verbs, settings, metrics, exit codes, files.

use crate::http;
use crate::process::{self, Outcome, Server};
use crate::rows::{Db, Rows};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use wxops::error::Kind;
use wxops::wire::reason::Reason;

const PAGES: [&str; 2] = ["README.md", "README.zh-CN.md"];
/// What follows a command on its line: a redirection or another command.
const BREAKS: [&str; 5] = [" | ", " > ", " < ", " && ", " #"];
/// The configuration of the trial with a WeCom application.
const OF_THE_QUEUE: &str = "queue.toml";
/// These run until they are stopped.
const ENDLESS: [&str; 3] = ["serve", "events tail", "sandbox run"];

#[test]
fn both_say_the_same() {
    let [english, chinese] = PAGES.map(read);
    let shape = |page: &str| -> Vec<usize> {
        let headings = page.lines().filter(|line| line.starts_with('#'));
        headings.map(|line| line.chars().take_while(|c| *c == '#').count()).collect()
    };
    assert_eq!(shape(&english), shape(&chinese), "headings");
    for language in ["sh", "toml", "sql", "crontab"] {
        assert_eq!(fenced(&english, language), fenced(&chinese, language), "{language}");
    }
    let first = |page: &str| -> Vec<Vec<String>> { rows(page).iter().map(|row| spans(&row[0])).collect() };
    assert_eq!(first(&english), first(&chinese), "first cells of tables");
}

#[tokio::test]
async fn every_command_parses() {
    let folder = tempfile::tempdir().unwrap();
    for page in PAGES {
        let page = read(page);
        let blocks = fenced(&page, "sh").into_iter().chain(fenced(&page, "crontab"));
        let lines = blocks.flat_map(|block| block.lines().map(str::to_owned).collect::<Vec<_>>());
        let commands: Vec<_> = lines.chain(examples(&page)).filter_map(|line| command(&line)).collect();
        assert!(commands.len() > 25, "{commands:?}");
        for args in commands {
            let args: Vec<_> = args.iter().map(String::as_str).chain(["--help"]).collect();
            let done = process::run(folder.path(), &args, &[], "").await;
            assert_eq!(done.code, Some(0), "wxops {args:?}\n{}", done.stderr);
        }
    }
}

#[tokio::test]
async fn the_examples_work_and_metrics_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut serve = Server::start(folder.path(), &["serve", "--sandbox"], &[], "listening on http://").await;
    let metrics = serve.address_after("metrics on http://").await;
    let follower = "oTEST0000000000000000000001_";
    let forgotten = "oTEST0000000000000000000002_";
    for openid in [follower, forgotten] {
        verb(&folder, &format!("sandbox push subscribe --openid {openid}"), "").await.expect_code(0);
    }
    // Something to look back on.
    verb(&folder, "events purge --older-than 90d --yes", "").await.expect_code(0);
    a_queue(&folder).await;
    for example in examples(&read(PAGES[0])) {
        let line = example.strip_prefix("wxops ").unwrap();
        if ENDLESS.iter().any(|endless| line == *endless || line.starts_with(&format!("{endless} "))) {
            continue;
        }
        let (args, stdin) = match line.split_once(" < ") {
            Some((args, _)) => (args, "a_token_that_a_person_brought_0123456789"),
            None => (line, ""),
        };
        verb(&folder, args, stdin).await.expect_code(0);
    }

    let text = http::get(metrics, "/metrics").await.unwrap().text();
    let shown: BTreeSet<_> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).map(str::to_owned).collect();
    let source = read("src/metrics.rs");
    let known: BTreeSet<_> = source.split('"').filter(|text| is_metric(text)).map(str::to_owned).collect();
    assert!(shown.len() >= 8 && shown.is_subset(&known), "{shown:?}");
    for page in PAGES {
        let told: BTreeSet<_> =
            rows(&read(page)).iter().flat_map(|row| spans(&row[0])).filter(|name| is_metric(name)).collect();
        assert_eq!(told, known, "{page}");
    }
}

#[tokio::test]
async fn every_verb_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut verbs = Vec::new();
    for group in listed(&help(folder.path(), &[]).await) {
        let inside = listed(&help(folder.path(), &[&group]).await);
        match inside.is_empty() {
            true => verbs.push(format!("wxops {group}")),
            false => verbs.extend(inside.iter().map(|verb| format!("wxops {group} {verb}"))),
        }
    }
    assert!(verbs.len() >= 18, "{verbs:?}");
    for page in PAGES {
        let examples = examples(&read(page));
        for verb in &verbs {
            let told = examples.iter().any(|line| line == verb || line.starts_with(&format!("{verb} ")));
            assert!(told, "{page} has no example of {verb}");
        }
    }
}

#[test]
fn settings_are_those_of_the_program() {
    let source = read("src/config/keys.rs");
    let known: BTreeSet<_> = source.lines().filter_map(setting).collect();
    assert!(known.len() > 20);
    for page in PAGES {
        let rows = rows(&read(page));
        let table = rows.iter().filter(|row| row.len() == 4);
        let told: BTreeSet<_> = table.map(|row| (spans(&row[0]).pop(), spans(&row[1]).pop())).collect();
        assert_eq!(told, known, "{page}");
    }
}

#[tokio::test]
async fn the_files_it_shows_are_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shown.toml");
    for block in fenced(&read(PAGES[0]), "toml") {
        let block = block.replace("/var/lib/wxops", folder.path().to_str().unwrap());
        fs::write(&file, block).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        let done = process::run(folder.path(), &["--config", "shown.toml", "db", "migrate"], &[], "").await;
        done.expect_code(0);
        let done = process::run(folder.path(), &["--config", "shown.toml", "token", "show", "--json"], &[], "").await;
        assert!(done.expect_code(0).stdout.contains("\"account\""));
    }
}

#[test]
fn exit_codes_are_those_of_errors() {
    let kinds = [
        Kind::Failed,
        Kind::Usage,
        Kind::Partial,
        Kind::Unknown,
        Kind::Unavailable,
        Kind::Busy,
        Kind::Refused,
        Kind::Config,
        Kind::Interrupted,
        Kind::Terminated,
    ];
    let known: BTreeSet<_> = kinds.iter().map(|kind| kind.exit_code()).chain([0]).collect();
    for page in PAGES {
        let rows = rows(&read(page));
        let codes = rows
            .iter()
            .filter_map(|row| row[0].split(" / ").map(|code| code.parse().ok()).collect::<Option<Vec<u8>>>());
        assert_eq!(codes.flatten().collect::<BTreeSet<_>>(), known, "{page}");
    }
}

#[test]
fn reasons_and_files_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for page in PAGES {
        let text = read(page);
        for told in text.split("`reason=").skip(1) {
            let told = told.split('`').next().unwrap();
            assert!(Reason::all().any(|reason| reason.as_str() == told), "{page}: {told}");
        }
        let links = text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap().to_owned());
        let commands = fenced(&text, "sh").join("\n");
        let scripts = commands.lines().filter(|line| line.starts_with("scripts/") || line.starts_with(".ci/"));
        let scripts = scripts.map(|line| line.split(' ').next().unwrap().to_owned());
        for path in links.filter(|link| !link.contains("://")).chain(scripts) {
            assert!(root.join(&path).exists(), "{page}: {path}");
        }
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The fenced blocks of a language.
fn fenced(page: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    page.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

/// The cells of each row of each table, without heads and rules.
fn rows(page: &str) -> Vec<Vec<String>> {
    let lines: Vec<_> = page.lines().collect();
    let is_row = |at: usize| lines[at].starts_with('|') && !lines[at].starts_with("|---");
    let is_head = |at: usize| lines.get(at + 1).is_some_and(|next| next.starts_with("|---"));
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
    (0..lines.len()).filter(|at| is_row(*at) && !is_head(*at)).map(|at| cells(lines[at])).collect()
}

/// What stands in backticks.
fn spans(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The examples in the table of verbs.
fn examples(page: &str) -> Vec<String> {
    rows(page).iter().flat_map(|row| spans(&row[0])).filter(|span| span.starts_with("wxops ")).collect()
}

/// The arguments of wxops on a line of shell, where it is called there.
fn command(line: &str) -> Option<Vec<String>> {
    let line = line.trim_start_matches("sudo ");
    // In a crontab, behind the times.
    let line = line.split_once(" /usr/local/bin/").map_or(line, |(_, command)| command);
    let line = line.strip_prefix("wxops ").or_else(|| line.strip_prefix("cargo run --release -- "))?;
    let end = BREAKS.iter().filter_map(|text| line.find(text)).min().unwrap_or(line.len());
    Some(words(&line[..end]))
}

/// The words of a line of shell; what stands in single quotes is one.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for (at, piece) in line.split('\'').enumerate() {
        let mut parts = if at % 2 == 0 { piece.split(' ').collect() } else { vec![piece] }.into_iter();
        words.last_mut().unwrap().push_str(parts.next().unwrap());
        words.extend(parts.map(str::to_owned));
    }
    words.into_iter().filter(|word| !word.is_empty()).collect()
}

async fn verb(folder: &tempfile::TempDir, line: &str, stdin: &str) -> Outcome {
    let of_the_queue = format!("wxops-sandbox/{OF_THE_QUEUE}");
    let has_app = line.starts_with("queue") && folder.path().join(&of_the_queue).exists();
    let config = if has_app { of_the_queue.as_str() } else { "wxops-sandbox/wxops.toml" };
    let args = ["--config", config].into_iter().filter(|_| !line.starts_with("init"));
    let words = words(line);
    let args = args.chain(words.iter().map(String::as_str));
    process::run(folder.path(), &args.collect::<Vec<_>>(), &[], stdin).await
}

/// The notification queue with one that was given up, and an application to send by.
async fn a_queue(folder: &tempfile::TempDir) {
    verb(folder, "queue install --demo --yes", "").await.expect_code(0);
    let trial = folder.path().join("wxops-sandbox");
    let rows = Rows::open(Db::Sqlite, "readme", &trial).await.unwrap();
    rows.execute("INSERT INTO members (member_no, created_at, updated_at) VALUES ('A1', '2026-11-28', '2026-11-28')")
        .await;
    rows.execute("UPDATE member_notification_queue SET status = 'dead', last_error_code = 81013").await;
    let app = "[wecom.crm]\ncorp_id = 'ww0'\nagent_id = 1\nsecret = 's'\nto_user = 'zhang'\n";
    let config = fs::read_to_string(trial.join("wxops.toml")).unwrap() + app;
    fs::write(trial.join(OF_THE_QUEUE), config).unwrap();
    fs::set_permissions(trial.join(OF_THE_QUEUE), fs::Permissions::from_mode(0o600)).unwrap();
}

async fn help(folder: &Path, path: &[&str]) -> String {
    process::run(folder, &[path, &["--help"]].concat(), &[], "").await.expect_code(0).stdout
}

/// The names under `Groups:` or `Commands:`.
fn listed(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Groups:" && *line != "Commands:").skip(1);
    let lines = lines.take_while(|line| !line.is_empty()).filter(|line| !line.starts_with("   "));
    lines.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

fn is_metric(text: &str) -> bool {
    text.starts_with("wxops_")
        && !text.ends_with("_bucket")
        && text.bytes().all(|c| c.is_ascii_lowercase() || c == b'_')
}

/// (variable, key) of a line of the table of settings.
fn setting(line: &str) -> Option<(Option<String>, Option<String>)> {
    let (_, made) = line.strip_prefix("pub(super) const ")?.split_once(": Setting = ")?;
    let mut names = made.split('"').skip(1).step_by(2).map(str::to_owned);
    Some(match made.contains("env: None") || made.starts_with("in_file(") {
        true => (None, names.next()),
        false => (names.next(), names.next()),
    })
}
