//! The verbs against a sandbox in this process.
#![allow(clippy::unwrap_used)]

use super::push::Configured;
use super::{Verb, accounts_file, units};
use crate::domain::account::{Access, AesKey, Mode, Official, Platform};
use crate::domain::secret::Secret;
use crate::error::Lang;
use crate::sandbox::account::Kind;
use crate::sandbox::{Options, Running, start};
use clap::{CommandFactory, Parser};
use std::io::Write;
use std::time::Duration;

#[derive(Parser)]
struct Line {
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    verb: Verb,
}

fn parse(words: &str) -> Verb {
    Line::try_parse_from(["x"].into_iter().chain(words.split(' '))).unwrap().verb
}

async fn sandbox() -> Running {
    start(Options { listen: "127.0.0.1:0".parse().unwrap(), followers: 3, ..Options::default() }).await.unwrap()
}

/// An address where nothing listens.
fn nowhere() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[test]
fn the_command_line_is_sound_and_its_help_is_narrow() {
    let mut command = Line::command();
    command.clone().debug_assert();
    for verb in command.get_subcommands_mut() {
        let help = verb.clone().term_width(80).render_long_help().to_string();
        assert!(help.contains("Example:\n  wxops sandbox "), "{help}");
        assert!(help.lines().all(|line| line.chars().count() <= 80), "{help}");
    }
}

#[test]
fn steps_and_times_are_read() {
    assert_eq!(units::duration("20ms").unwrap(), Duration::from_millis(20));
    assert_eq!(units::duration("1.5s").unwrap(), Duration::from_millis(1500));
    let steps =
        [("+3d", Some(259_200)), ("-1h", Some(-3600)), ("30s", Some(30)), ("5", None), ("--1h", None), ("", None)];
    for (text, seconds) in steps {
        assert_eq!(units::step(text), seconds, "{text}");
    }
}

#[tokio::test]
async fn the_clock_is_moved_and_shown() {
    let sandbox = sandbox().await;
    let url = sandbox.url();
    for (words, seconds) in [("+3d", 259_200), ("-1h", 255_600), ("show", 255_600)] {
        let Verb::Clock(clock) = parse(&format!("clock {words} --sandbox {url} --json")) else { panic!() };
        assert_eq!(clock.run().await.unwrap().advanced_seconds, seconds);
    }
    let Verb::Clock(clock) = parse(&format!("clock --json --sandbox {url}")) else { panic!() };
    assert!(clock.run().await.unwrap().table(Lang::En).ends_with("moved by 255600 s"));
    assert!(Line::try_parse_from(["x", "clock", "soon", "--sandbox", &url]).is_err());
}

#[tokio::test]
async fn faults_are_set_shown_and_cleared() {
    let sandbox = sandbox().await;
    let url = sandbox.url();
    for (words, count) in [("busy=5% slow@/cgi-bin/token=1", 2), ("busy=0", 1), ("--clear quota=1", 1), ("--clear", 0)]
    {
        let Verb::Faults(faults) = parse(&format!("faults {words} --sandbox {url}")) else { panic!() };
        assert_eq!(faults.run().await.unwrap().faults.len(), count, "{words}");
    }
    let Verb::Faults(faults) = parse(&format!("faults --sandbox {url}")) else { panic!() };
    assert_eq!(faults.run().await.unwrap().table(Lang::En), "no faults");
    let Verb::Faults(faults) = parse(&format!("faults nothing=1 --sandbox {url}")) else { panic!() };
    assert_eq!(faults.run().await.unwrap_err().kind.exit_code(), 2);
}

#[tokio::test]
async fn a_sandbox_that_does_not_run_is_69_with_the_command() {
    let url = nowhere();
    let Verb::Clock(clock) = parse(&format!("clock show --sandbox {url}")) else { panic!() };
    let Verb::Faults(faults) = parse(&format!("faults busy=1 --sandbox {url}")) else { panic!() };
    let Verb::Push(push) = parse(&format!("push text --sandbox {url}")) else { panic!() };
    let errors = [clock.run().await.unwrap_err(), faults.run().await.unwrap_err(), push.run(None).await.unwrap_err()];
    for error in errors {
        assert_eq!(error.kind.exit_code(), 69);
        assert!(error.next.unwrap().en.starts_with("start one: wxops sandbox run --listen 127.0.0.1:"));
    }
}

#[tokio::test]
async fn a_push_goes_through_the_sandbox_and_its_refusals_come_back() {
    let sandbox = sandbox().await;
    let url = sandbox.url();
    // Any answer of the platform's side is no acknowledgement: a full round without a receiver.
    let to = format!("{url}/callback");
    let words = format!("push subscribe --count 2 --to {to} --sandbox {url} --set EventKey=x --duplicates 0%");
    let Verb::Push(push) = parse(&words) else { panic!() };
    let report = push.run(None).await.unwrap();
    assert_eq!(report.failure().unwrap().kind.exit_code(), 1);
    assert!(report.table(Lang::En).contains("2 sent"));
    let Verb::Push(push) = parse(&format!("push nothing --to {to} --sandbox {url}")) else { panic!() };
    let error = push.run(None).await.unwrap_err();
    assert_eq!((error.kind.exit_code(), error.next.is_some()), (2, true));
    let Verb::Push(push) = parse(&format!("push text --to http://example.com/ --sandbox {url}")) else { panic!() };
    assert!(push.run(None).await.unwrap_err().next.unwrap().en.contains("--yes"));
}

#[tokio::test]
async fn a_real_accounts_keys_need_yes() {
    let receiver = sandbox().await;
    let mut official = Official {
        access: Access::new(Platform::Official, "main", "wx0123456789abcdef", "https://api.weixin.qq.com"),
        tokens: vec![Secret::new("wxopsToken123")],
        aes_keys: vec![AesKey::parse("BRAbJjE8R1JdaHN+iZSfqrXAy9bh7PcCDRgjLjlET1o").unwrap()],
        mode: Mode::Secure,
        original_id: None,
        replies: Default::default(),
    };
    let words = format!("push text --to {}/callback --sandbox {}", receiver.url(), nowhere());
    for (words, api_base, sent) in [
        (words.clone(), "https://api.weixin.qq.com", false),
        (format!("{words} --yes"), "https://api.weixin.qq.com", true),
        (words, "http://127.0.0.1:9090", true),
    ] {
        official.access.api_base = api_base.to_owned();
        let Verb::Push(push) = parse(&words) else { panic!() };
        match push.run(Some(&Configured::from(&official))).await {
            Ok(report) => assert!(sent && report.table(Lang::Zh).contains("发送 1 条")),
            Err(error) => {
                assert!(!sent && error.kind.exit_code() == 2);
                assert!(error.next.unwrap().en.contains("--yes"));
            }
        }
    }
}

#[tokio::test]
async fn it_runs_until_a_signal_and_ends_well() {
    let url = nowhere();
    let Verb::Run(run) = parse(&format!("run --followers 7 --listen {}", &url[7..])) else { panic!() };
    let running = tokio::spawn(run.run(Lang::En));
    let followers = async || {
        let state = reqwest::get(format!("{url}/sandbox/state")).await.ok()?;
        state.json::<serde_json::Value>().await.ok()?["accounts"][0]["followers"].as_u64()
    };
    while followers().await != Some(7) {
        assert!(!running.is_finished());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let pid = std::process::id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let report = running.await.unwrap().unwrap();
    assert_eq!((report.url, report.calls), (url, 0));
}

#[tokio::test]
async fn a_plan_sends_nothing_and_a_list_needs_nothing() {
    let sandbox = sandbox().await;
    sandbox.set_callback("main", "http://127.0.0.1:1/wechat/event");
    let Verb::Push(push) = parse(&format!("push text -n --count 5 --sandbox {}", sandbox.url())) else { panic!() };
    let plan = push.run(None).await.unwrap().table(Lang::En);
    assert_eq!(plan, "would send 5 × text to http://127.0.0.1:1/wechat/event");
    let Verb::Push(push) = parse(&format!("push list --sandbox {}", nowhere())) else { panic!() };
    assert!(push.run(None).await.unwrap().table(Lang::En).contains("subscribe-qr\n"));
}

#[test]
fn accounts_are_read_and_mistakes_named_with_their_line() {
    let entry = "[official.shop]\napp_id = \"wx1\"\nsecret = \"topsecret\"\ntoken = \"t\"\noriginal_id = \"gh_1\"\n";
    let read = |text: &str| {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        accounts_file::read(file.path())
    };
    let accounts = read(entry).unwrap();
    assert_eq!((accounts[0].name.as_str(), accounts[0].mode), ("shop", Mode::Plain));
    let others = "[wecom.office]\ncorp_id = \"ww1\"\nagent_id = 1000002\nsecret = \"topsecret\"\n\
                  [minigame.game]\napp_id = \"wx2\"\nsecret = \"topsecret\"\n";
    let kinds: Vec<_> = read(&format!("{entry}{others}")).unwrap().into_iter().map(|a| (a.name, a.kind)).collect();
    let [shop, office, game] = ["shop", "office", "game"].map(str::to_owned);
    let wecom = Kind::Wecom { agent_id: 1_000_002 };
    assert_eq!(kinds, [(shop, Kind::Official), (office, wecom), (game, Kind::Minigame)]);
    for (text, word) in [
        (format!("{entry}colour = 1\n"), "line 6"),
        (others.replace("1000002", "\"topsecret\""), "line 3"),
        (format!("{entry}mode = \"open\"\n"), "mode"),
        (String::new(), "[official.NAME]"),
    ] {
        let error = read(&text).unwrap_err();
        assert_eq!(error.kind.exit_code(), 78);
        assert!(error.what.en.contains(word) && !error.what.en.contains("topsecret"), "{}", error.what.en);
    }
}
