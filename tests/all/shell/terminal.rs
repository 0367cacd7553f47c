//! At a terminal: Ctrl-C, the first sign of life, what is asked, and no colours where they are not wanted.

use super::pty::Pty;
use super::scene::{Scene, verbs};
use crate::process;
use std::time::{Duration, Instant};

/// A person who presses Ctrl-C gets the prompt back by then.
const AT_ONCE: Duration = Duration::from_secs(1);
/// A person who sees nothing for longer thinks that nothing happens.
const SIGN: Duration = Duration::from_millis(100);
const CTRL_C: &str = "\u{3}";

/// What runs until it is stopped stops at once; who has seen enough is told nothing about it.
#[tokio::test]
async fn ctrl_c_ends_every_verb_that_does_not_end() {
    let Some(scene) = Scene::set("shell::endless").await else { return };
    let endless: Vec<_> = verbs().await.into_iter().filter(|verb| verb.is_endless()).collect();
    assert!(endless.len() >= 3, "{endless:?}");
    for verb in endless {
        // A serve on a database of its own: that of the scene is taken.
        let config = scene.stage.config().replace("wxops.toml", "alone.toml");
        let text = std::fs::read_to_string(scene.stage.config()).unwrap().replace("wxops.db", "alone.db");
        scene.stage.write("alone.toml", &text);
        let config = if verb.name.starts_with("serve") { config } else { scene.stage.config() };
        let args = scene.args(&verb);
        let args: Vec<&str> = ["--config", &config].into_iter().chain(args.iter().map(String::as_str)).collect();
        let mut pty = Pty::start(scene.stage.folder(), &args, &[]);
        pty.until("\n").await;
        let before = pty.shown();
        pty.keys(CTRL_C);
        let pressed = Instant::now();
        let ended = pty.end().await;
        assert!(pressed.elapsed() <= AT_ONCE, "{}: {:?}", verb.name, pressed.elapsed());
        assert!(matches!(ended.code, Some(0 | 130)), "{}: {ended:?}", verb.name);
        let after = &ended.stdout[before.len()..];
        for word in ["error", "interrupted", "panick"] {
            assert!(!after.contains(word), "{}: {after:?}", verb.name);
        }
    }
}

/// A job says that it was interrupted, keeps what it did, and ends with 130; so it does when it waits for a person.
#[tokio::test]
async fn ctrl_c_ends_a_job_with_130() {
    let Some(scene) = Scene::set("shell::interrupted").await else { return };
    let config = scene.stage.config();
    for (line, sign) in [("token set", "paste the token"), ("sandbox push text --count 100000 --rate 20", "working")] {
        let to = format!("--to {}", scene.callback());
        let line = if line.starts_with("sandbox") { format!("{line} {to}") } else { line.to_owned() };
        let args: Vec<&str> = ["--config", &config].into_iter().chain(line.split(' ')).collect();
        let mut pty = Pty::start(scene.stage.folder(), &args, &[]);
        pty.until(sign).await;
        pty.keys(CTRL_C);
        let pressed = Instant::now();
        let ended = pty.end().await;
        assert!(pressed.elapsed() <= AT_ONCE * 2, "{line}: {:?}", pressed.elapsed());
        assert_eq!(ended.code, Some(130), "{line}: {ended:?}");
        assert!(ended.stdout.contains("interrupted; work done is kept"), "{line}: {ended:?}");
    }
}

/// The platform answers late; the terminal shows within 100 ms that something is done, and no trace of it at the end.
#[tokio::test]
async fn the_first_sign_of_life_comes_before_the_platform_answers() {
    let Some(scene) = Scene::set("shell::life").await else { return };
    scene.stage.verb(&["token", "clear"]).await.expect_code(0);
    scene.faults(&["slow=1"]).await;
    let config = scene.stage.config();
    let args = ["--config", &config, "token", "refresh"];
    let (mut best, mut bare) = (Duration::MAX, Duration::MAX);
    for _ in 0..10 {
        // What the busy machine takes to start anything, and to read the configuration, is no matter of the sign.
        let version = Pty::start(scene.stage.folder(), &["--version"], &[]);
        bare = bare.min(version.until("wxops").await);
        version.end().await.expect_code(0);
        let mut pty = Pty::start(scene.stage.folder(), &args, &[]);
        best = best.min(pty.until("wxops token refresh: working, 0 s").await);
        pty.keys(CTRL_C);
        let ended = pty.end().await;
        let last = ended.stdout.lines().rfind(|line| !line.trim().is_empty()).unwrap();
        let seen = last.rsplit('\r').find(|part| !part.is_empty()).unwrap();
        assert!(seen.contains("error:") && !seen.contains("working"), "the sign is wiped off: {ended:?}");
        if best <= bare * 2 + SIGN {
            break;
        }
    }
    assert!(best <= bare * 2 + SIGN, "{best:?}, where --version takes {bare:?}");

    for (env, args) in [
        (("NO_COLOR", "1"), &args[..]),
        (("TERM", "dumb"), &args[..]),
        (("A", "b"), &["--color", "never", "--config", &config, "token", "refresh"]),
        (("NO_COLOR", "1"), &["-q", "--config", &config, "token", "refresh"]),
    ] {
        let args = [&["--timeout", "300ms"], args].concat();
        let ended = Pty::start(scene.stage.folder(), &args, &[env]).end().await;
        assert!(!ended.stdout.contains("working") && !ended.stdout.contains('\u{1b}'), "{env:?}: {ended:?}");
    }
    let piped = process::run(scene.stage.folder(), &[&["--timeout", "300ms"], &args[..]].concat(), &[], "").await;
    assert!(!piped.stderr.contains("working"), "{piped:?}");
}

/// A token that is pasted and not piped; with --no-input it is refused, and the way to do it is named.
#[tokio::test]
async fn a_terminal_is_asked_unless_it_may_not() {
    let Some(scene) = Scene::set("shell::asked at a terminal").await else { return };
    let config = scene.stage.config();
    let mut pty = Pty::start(scene.stage.folder(), &["--config", &config, "token", "set"], &[]);
    pty.until("paste the token").await;
    pty.keys("a_token_that_a_person_brought_0123456789\n");
    let ended = pty.end().await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.contains("stored as generation"), "{ended:?}");
    let refused = Pty::start(scene.stage.folder(), &["--no-input", "--config", &config, "token", "set"], &[]);
    let refused = refused.end().await;
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stdout.contains("--no-input") && refused.stdout.contains("token set < FILE"), "{refused:?}");
}

/// Help and errors have colours at a terminal, and none where they are not wanted.
#[tokio::test]
async fn colours_are_for_terminals_that_want_them() {
    let folder = tempfile::tempdir().unwrap();
    for verb in verbs().await {
        let words: Vec<&str> = verb.name.split(' ').collect();
        let on = async |env: (&str, &str), more: &[&str]| {
            Pty::start(folder.path(), &[&words[..], more].concat(), &[env]).end().await.stdout
        };
        assert!(on(("A", "b"), &["--help"]).await.contains('\u{1b}'), "{}", verb.name);
        for (env, more) in [
            (("NO_COLOR", "1"), &["--help"][..]),
            (("TERM", "dumb"), &["--help"]),
            (("A", "b"), &["--help", "--color", "never"]),
            (("NO_COLOR", "1"), &["--no-such-flag"]),
        ] {
            assert!(!on(env, more).await.contains('\u{1b}'), "{} {env:?} {more:?}", verb.name);
        }
    }
}
