//! Commands: what they read, what they see of us, and how their end is taken.

use super::receiver::{deliveries, hurry, reach, say};
use crate::messages::OPENID;
use crate::stage::{Stage, until};
use crate::stories::stories;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;

stories! {
    a_command_reads_the_event_and_nothing_else,
    an_exit_code_decides,
    one_that_takes_too_long_is_ended_and_in_doubt,
    one_that_is_not_there_is_found_by_doctor,
}

/// A script in the story's folder, and the `[[hook]]` that runs it.
fn script(stage: &Stage, text: &str, more: &str) -> String {
    let path = stage.write("on-event", &format!("#!/bin/sh\ncd {}\n{text}\n", stage.folder().display()));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    format!(
        "[[hook]]\nname = \"local\"\ncommand = [\"{}\", \"two words\"]\nevents = [\"message.*\"]\n{more}\n",
        path.display()
    )
}

fn read(stage: &Stage, name: &str) -> String {
    fs::read_to_string(stage.folder().join(name)).unwrap_or_default()
}

async fn a_command_reads_the_event_and_nothing_else(mut stage: Stage) {
    let text = "cat > body; env | sort > env; ls -l /proc/self/fd > fds; echo \"$1\" > arg; echo said $(cat body)";
    stage.account_settings = script(&stage, text, "");
    stage.settings = "log = \"debug\"\n".into();
    stage.env.push(("WXOPS_API_TOKEN".into(), "CANARY-of-the-environment".into()));
    let serve = stage.serve().await;
    say(&serve, OPENID, "it's $HOME; `id`", 5).await;
    reach(&stage, "delivered", 1).await;
    let body = read(&stage, "body");
    assert!(body.ends_with("}\n") && body.lines().count() == 1, "{body}");
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (&body["type"], &body["data"]["message"]["Content"]),
        (&"message.text".into(), &"it's $HOME; `id`".into())
    );
    assert_eq!(read(&stage, "arg"), "two words\n");
    let env = read(&stage, "env");
    let names: Vec<_> = env.lines().filter_map(|line| line.split_once('=').map(|(name, _)| name)).collect();
    let ours = ["WXOPS_HOOK", "WXOPS_HOOK_ACCOUNT", "WXOPS_HOOK_ATTEMPT", "WXOPS_HOOK_EVENT", "WXOPS_HOOK_ID"];
    assert!(ours.iter().all(|name| names.contains(name)), "{env}");
    // The shell adds PWD, OLDPWD and _ by itself.
    let others: Vec<_> = names.iter().filter(|name| !ours.contains(name)).copied().collect();
    assert!(others.iter().all(|name| ["LANG", "PATH", "PWD", "OLDPWD", "_", "SHLVL"].contains(name)), "{env}");
    // No connection, no database: what else there is came from the shell, or from who started the test.
    let fds = read(&stage, "fds");
    assert!(fds.contains("pipe:") && !fds.contains("socket:") && !fds.contains("wxops.db"), "{fds}");
    until("what it said", async || serve.log().contains("it said: said {").then_some(())).await;
    let log = serve.log();
    assert!(log.contains("…00001_") && !log.contains(OPENID) && !log.contains("CANARY"), "{log}");
}

/// 75 and others ask for another try; the last one is the end.
async fn an_exit_code_decides(mut stage: Stage) {
    stage.account_settings = script(&stage, "cat >> bodies; exit $(head -c 2 code)", "tries = 2");
    stage.write("code", "75");
    let serve = stage.serve().await;
    say(&serve, OPENID, "x", 5).await;
    until("the first try", async || {
        (stage.number("SELECT COALESCE(MAX(attempts), 0) FROM hook_delivery").await == 1).then_some(())
    })
    .await;
    reach(&stage, "pending", 1).await;
    let error = stage.rows("SELECT last_error FROM hook_delivery").await[0][0].clone().unwrap();
    assert_eq!(error, "exit 75: it asks to be told again");
    stage.write("code", "3\n");
    until("the last try", async || {
        hurry(&stage).await;
        (deliveries(&stage, "failed").await == 1).then_some(())
    })
    .await;
    assert_eq!(read(&stage, "bodies").lines().count(), 2);
    assert!(serve.log().contains("error=\"exit 3\""), "{}", serve.log());
    stage.verb(&["sends", "unknown"]).await.expect_code(0);
}

/// How far it came nobody knows: it is not begun again, nor what it has started left running.
async fn one_that_takes_too_long_is_ended_and_in_doubt(mut stage: Stage) {
    stage.account_settings =
        script(&stage, "echo begun >> begun; sleep 30 & echo $! > pid; wait", "timeout = \"300ms\"");
    let serve = stage.serve().await;
    say(&serve, OPENID, "x", 5).await;
    reach(&stage, "unknown", 1).await;
    let pid = read(&stage, "pid").trim().to_owned();
    let gone = || fs::read_to_string(format!("/proc/{pid}/stat")).map_or(true, |stat| stat.contains(") Z "));
    until("the end of its group", async || gone().then_some(())).await;
    assert_eq!(read(&stage, "begun"), "begun\n");

    let listed = stage.verb(&["--json", "sends", "unknown"]).await.expect_code(4);
    let row = &listed.json()[0];
    assert_eq!((&row["hook"], &row["kind"], &row["attempts"]), (&"local".into(), &"message.text".into(), &1.into()));
    let status = stage.verb(&["status"]).await.expect_code(1);
    assert!(status.stderr.contains("sends unknown"), "{}", status.stderr);
    let send = row["id"].as_str().unwrap();
    stage.verb(&["sends", "unknown", "--delivered", send]).await.expect_code(0);
    stage.verb(&["sends", "unknown", "--delivered", send]).await.expect_code(1);
    assert_eq!(deliveries(&stage, "delivered").await, 1);
}

async fn one_that_is_not_there_is_found_by_doctor(mut stage: Stage) {
    stage.account_settings =
        "[[hook]]\nname = \"lost\"\ncommand = [\"/nowhere/on-event\"]\nevents = [\"*\"]\ntries = 1\n".into();
    let doctor = stage.verb(&["doctor"]).await.expect_code(78);
    assert!(doctor.stdout.contains("/nowhere/on-event"), "{}", doctor.stdout);
    let serve = stage.serve().await;
    say(&serve, OPENID, "x", 5).await;
    until("the rest of the hook", async || (stage.number("SELECT COUNT(*) FROM channel").await == 1).then_some(()))
        .await;
    let untried = "SELECT COUNT(*) FROM hook_delivery WHERE attempts = 0 AND state = 'pending'";
    assert_eq!(stage.number(untried).await, 1, "nothing was tried");
}
