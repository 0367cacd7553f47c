//! Help, the version and the exit codes: what a person reads before anything is set up.

use super::scene::{groups, is_chinese, run, verbs};
use crate::process::{self, WRAPPER};
use crate::rows::skip;
use unicode_width::UnicodeWidthStr;

/// `help X` is `X --help`, on stdout, exit 0, within 80 columns, beginning with an example; in both languages.
#[tokio::test]
async fn help_of_everything_in_both_languages() {
    let folder = tempfile::tempdir().unwrap();
    let names: Vec<String> = verbs().await.into_iter().map(|verb| verb.name).collect();
    for name in names.iter().chain(&groups().await).chain([&String::new()]) {
        for (lang, example) in [("en", "Example:\n  wxops"), ("zh", "示例：\n  wxops")] {
            let shown = run(folder.path(), &format!("--lang {lang} {name} --help")).await.expect_code(0);
            assert!(shown.stdout.starts_with(example) && shown.stderr.is_empty(), "{name}: {shown:?}");
            let group = name.split(' ').next().unwrap();
            let first = shown.stdout.lines().nth(1).unwrap();
            assert!(first.trim().starts_with(&format!("wxops {group}")), "{name}: {first}");
            assert_eq!(is_chinese(&shown.stdout), lang == "zh", "{name}: {}", shown.stdout);
            let wide: Vec<_> = shown.stdout.lines().filter(|line| line.width() > 80).collect();
            assert!(wide.is_empty(), "{name}: {wide:?}");
            let same = run(folder.path(), &format!("--lang {lang} help {name}")).await.expect_code(0);
            assert_eq!(same.stdout, shown.stdout, "help {name}");
        }
    }
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 0, "help leaves nothing behind");
}

/// The sentences are Chinese one by one: no line of prose is left English.
#[tokio::test]
async fn no_line_of_chinese_help_is_english() {
    let folder = tempfile::tempdir().unwrap();
    for verb in verbs().await {
        let shown = run(folder.path(), &format!("--lang zh {} --help", verb.name)).await.expect_code(0).stdout;
        for line in shown.lines().skip_while(|line| !line.is_empty()) {
            let words = line.split_whitespace().filter(|word| word.bytes().all(|byte| byte.is_ascii_alphabetic()));
            assert!(is_chinese(line) || words.count() < 3, "{}: {line}", verb.name);
        }
    }
}

#[tokio::test]
async fn wxops_alone_is_short_help_and_exit_2() {
    let folder = tempfile::tempdir().unwrap();
    for (line, start) in
        [("", "Example:\n  wxops"), ("--lang zh", "示例：\n  wxops"), ("events", "Example:\n  wxops events")]
    {
        let shown = run(folder.path(), line).await.expect_code(2);
        assert!(shown.stdout.is_empty(), "{line}: what nobody asked for is no result");
        assert!(shown.stderr.starts_with(start), "{line}: {}", shown.stderr);
    }
    let json = run(folder.path(), "--json").await.expect_code(2);
    let last: serde_json::Value = serde_json::from_str(json.stderr.lines().last().unwrap()).unwrap();
    assert_eq!((last["type"].as_str(), last["code"].as_i64()), (Some("exit_error"), Some(2)));
}

#[tokio::test]
async fn the_version_names_commit_and_target() {
    let folder = tempfile::tempdir().unwrap();
    let shown = run(folder.path(), "--version --json").await.expect_code(0);
    let version = &shown.json()[0];
    for name in ["version", "commit", "target"] {
        assert!(version[name].as_str().is_some_and(|value| !value.is_empty()), "{version}");
    }
    let line = run(folder.path(), "-V").await.expect_code(0).stdout;
    let field = |name: &str| version[name].as_str().unwrap().to_owned();
    assert_eq!(line, format!("wxops {} ({} {})\n", field("version"), field("commit"), field("target")));
}

/// The table of the README and that of the program are one, in both languages.
#[tokio::test]
async fn the_exit_codes_are_those_of_the_readme() {
    let folder = tempfile::tempdir().unwrap();
    let rows = run(folder.path(), "help exit-codes --json").await.expect_code(0).json();
    let codes: Vec<u64> = rows.iter().map(|row| row["code"].as_u64().unwrap()).collect();
    assert_eq!(codes, [0, 1, 2, 3, 4, 69, 75, 77, 78, 130, 143]);
    for (page, lang) in [("README.md", "en"), ("README.zh-CN.md", "zh")] {
        let page = std::fs::read_to_string(format!("{}/{page}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let shown = run(folder.path(), &format!("--lang {lang} help exit-codes")).await.expect_code(0).stdout;
        assert_eq!(is_chinese(&shown), lang == "zh", "{shown}");
        for code in codes.iter().filter(|code| **code < 130) {
            let told = page.lines().find(|line| line.starts_with(&format!("| {code} |"))).unwrap();
            let cron = told.trim_matches('|').split('|').nth(2).unwrap().trim();
            let line = shown.lines().find(|line| line.split(' ').next() == Some(&code.to_string())).unwrap();
            assert!(line.ends_with(cron), "{lang} {code}: `{line}` is not `{cron}`");
        }
    }
}

/// Neither a file of ours nor the network is touched, even where the configuration is broken.
#[tokio::test]
async fn help_needs_no_configuration_and_no_network() {
    if std::process::Command::new("strace").arg("-V").output().is_err() {
        return skip("shell::help_needs_no_configuration_and_no_network", "strace is not installed");
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("wxops.toml"), "not TOML at all").unwrap();
    std::fs::write(folder.path().join(".env"), "WXOPS_LISSTEN=x").unwrap();
    for line in
        ["--help", "events list --help --lang zh", "help exit-codes", "completions bash", "man", "--version", "evnts"]
    {
        let calls = folder.path().join("calls");
        let wrapper = format!("strace -f -qq -e trace=connect,socket,openat,open,stat,statx -o {}", calls.display());
        let env = [(WRAPPER.to_owned(), wrapper)];
        let words: Vec<&str> = line.split(' ').collect();
        let outcome = process::run(folder.path(), &words, &env, "").await;
        assert!(matches!(outcome.code, Some(0 | 2)), "{line}: {outcome:?}");
        let calls = std::fs::read_to_string(&calls).unwrap();
        for word in ["connect(", "socket(", "wxops.toml", ".env", "wxops.db"] {
            assert!(!calls.contains(word), "{line}: {word} in\n{calls}");
        }
    }
}

/// In time of its own, because the machine may be busy; the best of some runs, of the debug build.
#[tokio::test]
async fn help_takes_at_most_50_ms() {
    let folder = tempfile::tempdir().unwrap();
    for line in ["--help", "--help --lang zh", "sandbox push --help --lang zh"] {
        let mut best = f64::MAX;
        for _ in 0..20 {
            let script = format!("TIMEFORMAT='%3U %3S'; time '{}' {line} > page", env!("CARGO_BIN_EXE_wxops"));
            let mut bash = std::process::Command::new("bash");
            let timed = bash.args(["-c", &script]).current_dir(folder.path()).output().unwrap();
            let times = String::from_utf8(timed.stderr).unwrap();
            best = best.min(times.split_whitespace().map(|time| time.parse::<f64>().unwrap()).sum());
            if best <= 0.05 {
                break;
            }
        }
        assert!(best <= 0.05, "{line}: {best} s");
    }
}
