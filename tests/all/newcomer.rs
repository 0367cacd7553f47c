//! The first ten minutes: `serve --sandbox`, the commands it prints, and a second one in the same folder.

use crate::process::{self, Server};
use std::fs;
use tempfile::TempDir;

async fn trial(folder: &TempDir, env: &[(String, String)]) -> Server {
    Server::start(folder.path(), &["serve", "--sandbox"], env, "listening on http://").await
}

#[tokio::test]
async fn the_printed_commands_work() {
    for (lang, last) in [("en", "Ctrl-C ends both"), ("zh", "Ctrl-C 结束两者")] {
        let folder = tempfile::tempdir().unwrap();
        let serve = trial(&folder, &[("WXOPS_LANG".to_owned(), lang.to_owned())]).await;
        let log = serve.log();
        assert!(log.contains(last), "{log}");
        let commands: Vec<_> = log.lines().filter(|line| line.contains(" --config ")).collect();
        assert_eq!(commands.len(), 3, "{log}");
        for command in commands {
            let words: Vec<_> = command.split_whitespace().collect();
            assert_eq!(words[0], env!("CARGO_BIN_EXE_wxops"));
            let done = process::run(folder.path(), &words[1..], &[], "").await.expect_code(0);
            assert!(!done.stdout.is_empty());
        }
        let log = serve.log();
        let events: Vec<_> = log.lines().filter(|line| line.contains("kind=event.subscribe")).collect();
        assert_eq!(events.len(), 20, "a line an event:\n{log}");
        for line in events {
            let openid = line.split("openid=…").nth(1).unwrap();
            assert_eq!(openid.len(), 6, "{line}");
        }
    }
}

#[tokio::test]
async fn a_second_trial_spoils_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = trial(&folder, &[]).await;
    let file = folder.path().join("wxops-sandbox/wxops.toml");
    let before = fs::read_to_string(&file).unwrap();
    // The same ports as the first: that it is the second is told before that they are taken.
    for args in [&["serve", "--sandbox"][..], &["--config", "wxops-sandbox/wxops.toml", "serve"]] {
        let second = process::run(folder.path(), args, &[], "").await.expect_code(75);
        assert!(second.stderr.contains("another wxops serve"), "{}", second.stderr);
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), before);
    let pushed = ["--config", "wxops-sandbox/wxops.toml", "sandbox", "push", "text"];
    process::run(folder.path(), &pushed, &[], "").await.expect_code(0);
    first.signal("INT");
    assert_eq!(first.wait().await, Some(0), "{}", first.log());
}
