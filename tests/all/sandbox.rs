//! `wxops sandbox run` as a person starts it: what it prints, what its flags do, what it refuses.

use crate::http;
use crate::process::{Server, run};
use serde_json::Value;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

/// A million followers take as long as ten do, give or take what a busy machine takes.
const AT_ONCE: Duration = Duration::from_secs(3);

async fn start(folder: &Path, flags: &str) -> Server {
    let args: Vec<&str> = ["sandbox", "run", "--listen", "127.0.0.1:0"].into_iter().chain(flags.split(' ')).collect();
    Server::start(folder, &args, &[], "listening on http://").await
}

async fn get(address: SocketAddr, path: &str) -> Value {
    let answer = http::get(address, path).await.expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.text());
    serde_json::from_slice(&answer.body).expect("JSON")
}

/// A token of the sandbox's own account, as somebody takes it who reads the keys off.
async fn token(address: SocketAddr) -> String {
    let keys = get(address, "/sandbox/accounts").await;
    let (id, secret) = (keys[0]["app_id"].as_str().unwrap(), keys[0]["secret"].as_str().unwrap());
    let path = format!("/cgi-bin/token?grant_type=client_credential&appid={id}&secret={secret}");
    get(address, &path).await["access_token"].as_str().expect("a token").to_owned()
}

#[tokio::test]
async fn a_million_followers_start_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let mut sandbox = start(folder.path(), "--followers 1000000").await;
    let list = format!("/cgi-bin/user/get?access_token={}", token(sandbox.address).await);
    let page = get(sandbox.address, &list).await;
    assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
    assert_eq!((&page["total"], page["data"]["openid"].as_array().map(Vec::len)), (&1_000_000.into(), Some(10_000)));
    sandbox.signal("TERM");
    assert_eq!(sandbox.wait().await, Some(0));
}

#[tokio::test]
async fn what_it_prints_is_what_it_knows() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = start(folder.path(), "--seed 7").await;
    let address = sandbox.address;
    let keys = get(address, "/sandbox/accounts").await;
    let (wecom, minigame) = (&keys[1], &keys[2]);
    let printed = sandbox.log();
    for line in [
        format!("WECHAT_APP_ID={}", keys[0]["app_id"].as_str().unwrap()),
        "[wecom.wecom]".to_owned(),
        format!("corp_id = {}", wecom["corp_id"]),
        format!("agent_id = {}", wecom["agent_id"]),
        format!("secret = {}", wecom["secret"]),
        "[minigame.minigame]".to_owned(),
        format!("app_id = {}", minigame["app_id"]),
        format!("api_base = \"http://{address}\""),
    ] {
        assert!(printed.lines().any(|printed| printed.trim() == line), "{line}\n{printed}");
    }
    let (id, secret) = (wecom["corp_id"].as_str().unwrap(), wecom["secret"].as_str().unwrap());
    let given = get(address, &format!("/cgi-bin/gettoken?corpid={id}&corpsecret={secret}")).await;
    assert_eq!((&given["errcode"], &given["expires_in"]), (&0.into(), &7200.into()), "{given}");
}

#[tokio::test]
async fn keys_of_a_file_are_not_printed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("accounts.toml");
    let text = "[wecom.office]\ncorp_id = \"ww1\"\nagent_id = 1000002\nsecret = \"TOPSECRET\"\n\n\
                [minigame.game]\napp_id = \"wx1\"\napp_secret = \"TOPSECRET\"\n";
    std::fs::write(&file, text).unwrap();
    let sandbox = start(folder.path(), &format!("--accounts-file {}", file.display())).await;
    let given = get(sandbox.address, "/cgi-bin/gettoken?corpid=ww1&corpsecret=TOPSECRET").await;
    assert_eq!(given["errcode"], 0, "{given}");
    let printed = sandbox.log();
    assert!(printed.contains("[wecom.office]") && printed.contains("[minigame.game]"), "{printed}");
    assert!(!printed.contains("TOPSECRET"), "{printed}");
}

#[tokio::test]
async fn limits_and_lists_are_as_the_flags_say() {
    let folder = tempfile::tempdir().unwrap();
    let flags = "--followers 300 --foreign 3 --churn 5 --list-quirk total-off --limit /cgi-bin/user/get=2/day";
    let sandbox = start(folder.path(), flags).await;
    let token = token(sandbox.address).await;
    let list = format!("/cgi-bin/user/get?access_token={token}");
    let page = get(sandbox.address, &list).await;
    assert_eq!((&page["count"], &page["total"]), (&303.into(), &426.into()), "{page}");
    let next = page["next_openid"].as_str().unwrap();
    let joined = get(sandbox.address, &format!("{list}&next_openid={next}")).await;
    assert_eq!(joined["count"], 5, "who joined unnoticed: {joined}");
    assert_eq!(get(sandbox.address, &list).await["errcode"], 45009);
}

#[tokio::test]
async fn flags_that_say_nothing_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (flags, words) in [
        ("--limit /cgi-bin/user/get=20", "cannot read the limit \"/cgi-bin/user/get=20\""),
        ("--limit /cgi-bin/none=20/day", "no API has the path \"/cgi-bin/none\""),
        ("--list-quirk sticky", "no quirk of a list is called \"sticky\""),
        ("--followers 2 --foreign 3", "--foreign is more than --followers"),
    ] {
        let args: Vec<&str> =
            ["sandbox", "run", "--listen", "127.0.0.1:0"].into_iter().chain(flags.split(' ')).collect();
        let refused = run(folder.path(), &args, &[], "").await.expect_code(2);
        assert!(refused.stderr.contains(words) && refused.stdout.is_empty(), "{flags}: {}", refused.stderr);
    }
}
