//! Results on stdout, everything else on stderr; JSON, silence, colours, pipes, locales: for every verb.

use super::scene::{Scene, Verb, finish, finite, is_chinese, verbs};
use crate::process;
use serde_json::Value;
use std::process::Stdio;

const ESC: char = '\u{1b}';

/// No send is in doubt in this scene, and no token was refused, so there is nothing to list.
fn tells(verb: &Verb) -> bool {
    verb.name != "sends unknown" && verb.name != "token blame"
}

/// `2>/dev/null | jq .` works with every verb, and stderr repeats no result.
#[tokio::test]
async fn json_of_every_verb_is_a_document_or_lines() {
    let Some(scene) = Scene::set("shell::json").await else { return };
    for verb in finite().await.into_iter().filter(tells) {
        let outcome = scene.run(&["--json"], &verb).await;
        assert!(verb.did_its_job(outcome.code), "{}: {outcome:?}", verb.name);
        let values = outcome.json();
        assert!(!values.is_empty() && values.iter().all(Value::is_object), "{}: {}", verb.name, outcome.stdout);
        values.iter().for_each(|value| plain_for_programs(&verb, value));
        let repeated = |line: &str| serde_json::from_str::<Value>(line).is_ok_and(|value| value.is_object());
        let failed = outcome.code != Some(0);
        assert_eq!(outcome.stderr.lines().any(repeated), failed, "{}: {}", verb.name, outcome.stderr);
    }
}

/// Ids are text (they outgrow 2^53), times RFC 3339 with zone; the words are English whatever the language.
fn plain_for_programs(verb: &Verb, value: &Value) {
    for (name, value) in value.as_object().unwrap() {
        let verb = &verb.name;
        let is_id = ["id", "generation", "version"].contains(&name.as_str()) || name.ends_with("_id");
        assert!(!(is_id && value.is_number()), "{verb}: {name} is a number");
        if let (Some(text), true) = (value.as_str(), name.ends_with("_at") || name.ends_with("_time")) {
            assert!(chrono::DateTime::parse_from_rfc3339(text).is_ok(), "{verb}: {name} is {text}");
        }
    }
}

/// cron sends no mail: nothing on stderr, and on stdout only what was asked for.
#[tokio::test]
async fn quiet_is_0_bytes_on_success() {
    let Some(scene) = Scene::set("shell::quiet").await else { return };
    for verb in finite().await.into_iter().filter(tells) {
        let quiet = scene.run(&["-q"], &verb).await;
        if verb.is_examination() && verb.did_its_job(quiet.code) && quiet.code != Some(0) {
            continue;
        }
        assert_eq!((quiet.code, quiet.stderr.as_str()), (Some(0), ""), "{}", verb.name);
        let what = if verb.is_question() { "is a question" } else { "is none" };
        let told = format!("{} {what} to scene.rs; it says: {}", verb.name, quiet.stdout);
        assert_eq!(quiet.stdout.is_empty(), !verb.is_question(), "{told}");
        let loud = scene.run(&[], &verb).await;
        assert!(verb.did_its_job(loud.code), "{}: {loud:?}", verb.name);
        assert!(!loud.stdout.is_empty(), "{} says nothing at all", verb.name);
    }
}

/// A pipe has no colours unless they are asked for; the words of the language are no matter of it.
#[tokio::test]
async fn a_pipe_has_no_colours() {
    let Some(scene) = Scene::set("shell::colours").await else { return };
    let able = [("TERM", "xterm-256color"), ("NO_COLOR", "")];
    for verb in finite().await {
        let outcome = scene.run_in(&able, &["--lang", "zh", "-v"], &verb).await;
        assert!(verb.did_its_job(outcome.code), "{}: {outcome:?}", verb.name);
        assert!(!outcome.stdout.contains(ESC) && !outcome.stderr.contains(ESC), "{}: {outcome:?}", verb.name);
    }
    for verb in verbs().await {
        let words: Vec<String> = verb.name.split(' ').map(str::to_owned).collect();
        for (color, coloured) in [("always", true), ("never", false), ("auto", false)] {
            let ask = |more: &str| [&words[..], &[more.to_owned()]].concat();
            let help = finish(scene.command(&["--color", color], &ask("--help"), &able), &verb).await;
            assert_eq!(help.stdout.contains(ESC), coloured, "{} --help --color {color}", verb.name);
            let slip = finish(scene.command(&["--color", color], &ask("--no-such-flag"), &able), &verb).await;
            assert_eq!(slip.stderr.contains(ESC), coloured, "{} --color {color}: {}", verb.name, slip.stderr);
        }
    }
}

/// `| head -1`, and a reader that is gone before the first byte.
#[tokio::test]
async fn a_reader_that_left_is_no_failure_of_any_verb() {
    let Some(scene) = Scene::set("shell::pipes").await else { return };
    for verb in finite().await {
        for global in [&[][..], &["--json"]] {
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            let mut command = scene.command(global, &scene.args(&verb), &[]);
            let outcome = finish_into(command.stdout(writer), &verb).await;
            scene.calm(&verb).await;
            assert!(verb.did_its_job(outcome.code), "{}: {outcome:?}", verb.name);
            for word in ["panick", "Broken pipe", "os error", "error:", "exit_error"] {
                let may = verb.is_examination() && word.contains("error") && outcome.code != Some(0);
                assert!(may || !outcome.stderr.contains(word), "{}: {}", verb.name, outcome.stderr);
            }
        }
    }
}

async fn finish_into(command: &mut tokio::process::Command, verb: &Verb) -> process::Outcome {
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let _ =
        tokio::io::AsyncWriteExt::write_all(&mut child.stdin.take().unwrap(), b"a_token_that_a_person_brought").await;
    let output = tokio::time::timeout(crate::stage::PATIENCE, child.wait_with_output()).await;
    let output = output.unwrap_or_else(|_| panic!("{} does not end", verb.name)).unwrap();
    process::Outcome {
        code: output.status.code(),
        stdout: String::new(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// No locale makes a verb fail, and UTF-8 comes out in each; `env -i` neither.
#[tokio::test]
async fn no_locale_makes_a_verb_fail() {
    let Some(scene) = Scene::set("shell::locales").await else { return };
    for verb in finite().await {
        for env in [&[("LC_ALL", "C")][..], &[("LANG", "zh_CN.GB18030"), ("LC_ALL", "")]] {
            let outcome = scene.run_in(env, &[], &verb).await;
            assert!(verb.did_its_job(outcome.code), "{} {env:?}: {outcome:?}", verb.name);
        }
        let mut command = scene.command(&["--lang", "zh"], &scene.args(&verb), &[]);
        let outcome = finish(
            {
                command.env_clear();
                command
            },
            &verb,
        )
        .await;
        scene.calm(&verb).await;
        assert!(verb.did_its_job(outcome.code), "{} env -i: {outcome:?}", verb.name);
    }
}

/// The first of LC_ALL, LC_MESSAGES and LANG that is set decides; WXOPS_LANG and --lang go before them.
#[tokio::test]
async fn the_language_is_chosen_as_is_usual() {
    let folder = tempfile::tempdir().unwrap();
    for (env, args, chinese) in [
        ("LANG=zh_CN.UTF-8", "", true),
        ("LANG=en_US.UTF-8", "", false),
        ("LANG=C", "", false),
        ("LANG=en_US.UTF-8 LC_MESSAGES=zh_TW.UTF-8", "", true),
        ("LANG=zh_CN.UTF-8 LC_ALL=C", "", false),
        ("LANG=zh_CN.UTF-8 LC_ALL=", "", true),
        ("LANG=zh_CN.UTF-8 WXOPS_LANG=en", "", false),
        ("LANG=C WXOPS_LANG=zh", "", true),
        ("LANG=C WXOPS_LANG=zh", "--lang en", false),
        ("LANG=C", "--lang=zh", true),
    ] {
        let env: Vec<(String, String)> = env
            .split(' ')
            .map(|pair| pair.split_once('=').unwrap())
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        for line in ["--help", "events --help", "nonsense", "token show"] {
            let args: Vec<&str> = args.split_whitespace().chain(line.split(' ')).collect();
            let outcome = process::run(folder.path(), &args, &env, "").await;
            let said = outcome.stdout + &outcome.stderr;
            assert_eq!(is_chinese(&said), chinese, "{env:?} {args:?}: {said}");
        }
    }
}
