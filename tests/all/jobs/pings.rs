//! Who watches a job hears of its start and of its end; whatever becomes of that, the job's result stands.

use super::{purge, repair};
use crate::hooks::receiver::{Does, Receiver, Told};
use crate::platform::Platform;
use crate::stage::Stage;
use crate::stories::stories;
use std::time::{Duration, Instant};

stories! {
    start_and_end_are_told,
    a_failure_is_told_with_the_end_of_the_log,
    what_keeps_a_job_from_beginning_is_told,
    a_ping_that_fails_changes_nothing,
    a_service_that_says_nothing_gets_no_longer_than_the_command,
    a_service_that_is_ill_is_asked_again,
    an_interrupted_job_says_so,
}

/// Part of the address: who knows it can report a success.
const SECRET: &str = "CANARY-ping-5f1e2d";

fn to(receiver: &Receiver) -> String {
    format!("http://{}/{SECRET}", receiver.address)
}

fn targets(told: &[Told]) -> Vec<&str> {
    told.iter().map(|told| told.target.strip_prefix(&format!("/{SECRET}")).unwrap_or(&told.target)).collect()
}

async fn start_and_end_are_told(stage: Stage) {
    let receiver = Receiver::start(Does::Answers(200, "")).await;
    let url = to(&receiver);
    let quiet = purge(&stage, &["-q", "--ping-url", &url]).await.expect_code(0);
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
    let told = receiver.told();
    assert_eq!(targets(&told), ["/start", "/0"]);
    assert!(told[1].body.contains("events purge: account=* exit_code=0"), "{}", told[1].body);
    purge(&stage, &["--dry-run", "--ping-url", &url]).await.expect_code(0);
    assert_eq!(receiver.told().len(), 2, "a dry run calls nobody");

    // A slow service does not keep the work waiting, and its word on the start is not overtaken by that on the end.
    receiver.now_does(Does::Waits(Duration::from_millis(300)));
    purge(&stage, &["-vv", "--ping-url", &url]).await.expect_code(0);
    assert_eq!(targets(&receiver.told()[2..]), ["/start", "/0"]);
}

async fn a_failure_is_told_with_the_end_of_the_log(mut stage: Stage) {
    let receiver = Receiver::start(Does::Answers(200, "")).await;
    let platform = Platform::restart(&mut stage, &["--followers", "2"]).await;
    platform.faults(&["quota=1"]).await;
    let failed = repair(&stage, &["-vv", "--ping-url", &to(&receiver)]).await.expect_code(69);
    let told = receiver.told();
    assert_eq!(targets(&told), ["/start", "/69"]);
    let body = &told[1].body;
    assert!(body.len() <= 10 * 1024 && body.contains("45009") && body.contains("error: "), "{body}");
    assert!(body.contains("events repair: account=main exit_code=69"), "{body}");
    for text in [body.as_str(), &failed.stderr, &failed.stdout] {
        assert!(!text.contains(SECRET) && !text.contains(&stage.keys.secret), "{text}");
    }
    assert_eq!(stage.number(&format!("SELECT COUNT(*) FROM job_run WHERE error LIKE '%{SECRET}%'")).await, 0);
}

async fn what_keeps_a_job_from_beginning_is_told(stage: Stage) {
    let receiver = Receiver::start(Does::Answers(200, "")).await;
    let url = to(&receiver);
    let config = std::fs::read_to_string(stage.config()).unwrap();
    let lines = config.lines().filter(|line| !line.starts_with("database_url"));
    let rest = lines.collect::<Vec<_>>().join("\n");
    for (line, code) in [
        ("database_url = \"mysql://root@127.0.0.1:1/none\"", "69"),
        ("database_url = \"sqlite:///nonexistent/none.db\"", "78"),
        ("no_such_key = 1", "78"),
    ] {
        let file = stage.write("broken.toml", &format!("{line}\n{rest}\n"));
        let args = ["--config", file.to_str().unwrap(), "events", "purge", "--older-than", "90d", "--yes"];
        let args = [&args[..], &["--ping-url", &url]].concat();
        let ended = crate::process::run(stage.folder(), &args, &[], "").await;
        let before = receiver.told();
        assert_eq!(ended.code.map(|code| code.to_string()).as_deref(), Some(code), "{line}: {ended:?}");
        assert_eq!(targets(&before[before.len() - 2..]), ["/start", &format!("/{code}")]);
        assert!(before.last().unwrap().body.contains("error: "), "{line}");
        assert!(!ended.stderr.contains(SECRET), "{}", ended.stderr);
    }
    let refused = stage.verb(&["events", "purge", "--older-than", "90d", "--ping-url", &url]).await.expect_code(2);
    assert!(refused.stderr.contains("--yes"), "{}", refused.stderr);
    assert_eq!(receiver.told().last().unwrap().target, format!("/{SECRET}/2"));
    for wrong in [SECRET, &format!("ftp://{SECRET}.example/x")] {
        let wrong = purge(&stage, &["--ping-url", wrong]).await.expect_code(2);
        assert!(wrong.stderr.contains("--ping-url") && !wrong.stderr.contains(SECRET), "{}", wrong.stderr);
    }
}

async fn a_ping_that_fails_changes_nothing(stage: Stage) {
    // Nobody listens there: five tries, soon over.
    let gone = Receiver::start(Does::Hangs).await;
    let url = to(&gone);
    drop(gone);
    let start = Instant::now();
    let done = purge(&stage, &["--ping-url", &url]).await.expect_code(0);
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    assert!(done.stderr.contains("a ping did not arrive") && !done.stderr.contains(SECRET), "{}", done.stderr);
    let quiet = purge(&stage, &["-q", "--timeout", "1s", "--ping-url", &url]).await.expect_code(0);
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
}

async fn a_service_that_says_nothing_gets_no_longer_than_the_command(stage: Stage) {
    let receiver = Receiver::start(Does::Hangs).await;
    let start = Instant::now();
    purge(&stage, &["--timeout", "2s", "--ping-url", &to(&receiver)]).await.expect_code(0);
    assert!(start.elapsed() < Duration::from_millis(2900), "{:?}", start.elapsed());
}

async fn a_service_that_is_ill_is_asked_again(stage: Stage) {
    // One that does not know the address is not.
    let receiver = Receiver::start(Does::Answers(404, "")).await;
    let before = receiver.told().len();
    let done = purge(&stage, &["--ping-url", &to(&receiver)]).await.expect_code(0);
    assert!(done.stderr.contains("HTTP 404"), "{}", done.stderr);
    assert_eq!(receiver.told().len() - before, 2, "one each for the start and the end");
    // One that is ill for a moment is.
    receiver.now_does(Does::Answers(503, ""));
    let before = receiver.told().len();
    purge(&stage, &["--ping-url", &to(&receiver)]).await.expect_code(0);
    assert_eq!(receiver.told().len() - before, 10, "five each");
}

async fn an_interrupted_job_says_so(mut stage: Stage) {
    let receiver = Receiver::start(Does::Answers(200, "")).await;
    let _platform = Platform::restart(&mut stage, &["--followers", "9", "--latency", "8s"]).await;
    let child = super::waiting_repair(&stage, &["--ping-url", &to(&receiver)]).await;
    let start = Instant::now();
    super::signal(&child, "TERM");
    let (code, _, stderr) = super::ended(child).await;
    assert!(start.elapsed() < Duration::from_millis(1500), "{:?}", start.elapsed());
    assert_eq!(code, Some(143), "{stderr}");
    assert_eq!(targets(&receiver.told()), ["/start", "/143"]);
    repair(&stage, &["--timeout", "1s", "--ping-url", &to(&receiver)]).await.expect_code(69);
    assert_eq!(targets(&receiver.told())[2..], ["/start", "/69"]);
}
