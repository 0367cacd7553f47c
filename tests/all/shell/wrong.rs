//! Every verb, done wrong: the exit code, one line that says what and what next, and JSON where JSON was asked for.

use super::scene::{self, Scene, Verb, finish, finite, groups, is_chinese, run, verbs};
use crate::process::Outcome;
use serde_json::Value;
use std::process::Stdio;

/// What every failure has in common. `lang` is `en` or `zh`.
#[track_caller]
fn fails_well(name: &str, outcome: &Outcome, lang: &str, json: bool) {
    let code = outcome.code.unwrap_or_else(|| panic!("{name} was killed: {outcome:?}"));
    assert!(outcome.stdout.is_empty(), "{name}: an error is no result: {}", outcome.stdout);
    let last = outcome.stderr.lines().last().unwrap_or_else(|| panic!("{name} failed with {code} and said nothing"));
    if json {
        let error: Value = serde_json::from_str(last).unwrap_or_else(|_| panic!("{name}: {last}"));
        assert_eq!(
            (error["type"].as_str(), error["code"].as_i64()),
            (Some("exit_error"), Some(i64::from(code))),
            "{name}"
        );
        let message = error["message"].as_str().unwrap();
        assert!(!message.is_empty() && !is_chinese(message), "{name}: JSON is English: {message}");
        assert!(error.get("errcode").is_some() && error.get("next").is_some(), "{name}: {error}");
        return;
    }
    let start = if lang == "zh" { "错误：" } else { "error: " };
    assert!(last.starts_with(start), "{name}: {}", outcome.stderr);
    assert_eq!(is_chinese(last), lang == "zh", "{name}: {last}");
    assert!(!outcome.stderr.contains("panick") && !outcome.stderr.contains('\u{1b}'), "{name}: {}", outcome.stderr);
}

/// In both languages and as JSON, with this exit code.
async fn fails(line: &str, near: &str) {
    let folder = tempfile::tempdir().unwrap();
    for lang in ["en", "zh"] {
        for json in [false, true] {
            let form = if json { " --json" } else { "" };
            let outcome = run(folder.path(), &format!("--lang {lang}{form} {line}")).await.expect_code(2);
            fails_well(line, &outcome, lang, json);
            let last = outcome.stderr.lines().last().unwrap();
            assert!(last.contains(near), "{line}: `{near}` is not named: {last}");
        }
    }
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 0, "{line}: a slip leaves nothing behind");
}

/// An unknown flag is exit 2 and names the help that has the right one.
#[tokio::test]
async fn a_flag_that_no_verb_has() {
    for verb in verbs().await {
        fails(&format!("{} --no-such-thing", verb.name), &format!("{} --help", verb.name)).await;
    }
    for group in groups().await {
        fails(&format!("{group} --no-such-thing"), "--no-such-thing").await;
        fails(&format!("{group} --no-input"), &format!("{group} --help")).await;
    }
}

/// Every group, verb and flag without its last letter is answered with its name.
#[tokio::test]
async fn slips_are_answered_with_what_is_near() {
    let mut lines = Vec::new();
    let names: Vec<String> = verbs().await.iter().map(|verb| verb.name.clone()).collect();
    for name in names.iter().chain(&groups().await) {
        let last = name.rsplit(' ').next().unwrap();
        lines.push((name[..name.len() - 1].to_owned(), last.to_owned()));
    }
    for verb in verbs().await {
        let flags = verb.flags();
        let short = |flag: &String| flag[..flag.len() - 1].to_owned();
        let slips = flags.iter().filter(|flag| !flags.contains(&short(flag)));
        lines.extend(slips.map(|flag| (format!("{} {}", verb.name, short(flag)), flag.clone())));
    }
    assert!(lines.len() > 50, "{lines:?}");
    let folder = tempfile::tempdir().unwrap();
    for (line, near) in lines {
        let outcome = run(folder.path(), &line).await.expect_code(2);
        let asked = outcome.stderr.split("did you mean ").nth(1).unwrap_or_default();
        assert!(asked.split('?').next().unwrap().split(", ").any(|name| name == near), "{line}: {}", outcome.stderr);
    }
}

/// A database that is away is 69 in every verb that needs one; the others do not notice.
#[tokio::test]
async fn a_database_that_is_away() {
    let failed = in_every_verb("shell::away", scene::away, 69).await;
    assert!(failed.len() >= 12, "{failed:?}");
}

/// A wrong file is 78 in every verb that needs a configuration, and the line is named.
#[tokio::test]
async fn a_configuration_that_is_wrong() {
    let failed = in_every_verb("shell::wrong", scene::wrong, 78).await;
    assert!(failed.len() >= 12, "{failed:?}");
}

/// The verbs that failed with this configuration; each failed well.
async fn in_every_verb(story: &str, change: fn(&str) -> String, code: i32) -> Vec<String> {
    let Some(scene) = Scene::set(story).await else { return vec!["skipped".into(); 99] };
    let mut failed = Vec::new();
    for verb in finite().await {
        let group = verb.name.split(' ').next().unwrap();
        let config = std::fs::read_to_string(scene.config_of(group)).unwrap();
        scene.stage.write("broken.toml", &change(&config));
        for (global, lang, json) in [("", "en", false), ("", "zh", false), ("--json", "en", true)] {
            let mut words = vec!["--lang", lang];
            words.extend((!global.is_empty()).then_some(global));
            let outcome = finish(broken(&scene, &words, &verb), &verb).await;
            if outcome.code == Some(0) {
                continue;
            }
            let told = outcome.stdout.clone() + &outcome.stderr;
            let outcome = match verb.is_examination() {
                true => Outcome { stdout: String::new(), ..outcome },
                false => outcome,
            };
            // Of all that an examination finds, the gravest decides.
            let may = verb.is_examination() && verb.did_its_job(outcome.code);
            // The server's own tool makes the copy, whether the server answers or not.
            let may = may || (verb.name == "db backup" && outcome.code == Some(2) && told.contains("mysqldump"));
            assert!(may || outcome.code == Some(code), "{}: {outcome:?}", verb.name);
            fails_well(&verb.name, &outcome, lang, json);
            if code == 78 {
                assert!(told.contains("lissten") && told.contains("broken.toml"), "{}: {told}", verb.name);
            }
            failed.push(verb.name.clone());
        }
        scene.calm(&verb).await;
    }
    failed.dedup();
    failed
}

/// The verb's example with the broken configuration: of two `--config` the child must see the latter only.
fn broken(scene: &Scene, global: &[&str], verb: &Verb) -> tokio::process::Command {
    let args = scene.args(verb);
    let args: Vec<_> = global.iter().copied().chain(args.iter().map(String::as_str)).collect();
    let config = ["--config", "broken.toml"];
    crate::process::command(scene.stage.folder(), &[&config[..], &args].concat(), &[])
}

/// Nothing waits for an answer where nobody can give one.
#[tokio::test]
async fn nothing_is_asked_without_a_terminal() {
    let Some(scene) = Scene::set("shell::asked").await else { return };
    for verb in finite().await {
        for global in [&[][..], &["--no-input"]] {
            let args: Vec<String> = scene.args(&verb).into_iter().filter(|word| word != "--yes").collect();
            let mut command = scene.command(global, &args, &[]);
            let ended = tokio::time::timeout(crate::stage::PATIENCE, command.stdin(Stdio::null()).output()).await;
            let output = ended.unwrap_or_else(|_| panic!("{} waits for somebody", verb.name)).unwrap();
            scene.calm(&verb).await;
            let stderr = String::from_utf8(output.stderr).unwrap();
            match output.status.code() {
                code if verb.did_its_job(code) => {}
                Some(2) => assert!(stderr.contains("--yes") || stderr.contains("< FILE"), "{}: {stderr}", verb.name),
                code => panic!("{}: {code:?}: {stderr}", verb.name),
            }
            assert!(!stderr.contains("[y/N]"), "{}: {stderr}", verb.name);
        }
    }
}
