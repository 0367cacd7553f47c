//! All is well: the sandbox, a follower, and every verb doing its work.

use super::scene::{APP_ID, Act, FORMS, ORIGINAL_ID, Scene, every_verb};
use crate::http;
use crate::process::Server;
use crate::stage::until;

/// Every verb does its work and says nothing of what it works with.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_verb_at_work() {
    let mut scene = Scene::new();
    let typed = super::canary::core("a token that a person brings");
    scene.canaries.add("the typed token", &typed);
    let sandbox = sandbox(&scene).await;
    let api = format!("http://{}", sandbox.address);
    // The notification queue lies in our own database: the other one is nowhere.
    let office = format!(
        "[wecom.office]\ncorp_id = \"wwcanary\"\nagent_id = 1000002\nsecret = \"{}\"\nto_user = \"zhang\"\napi_base = \"{api}\"\n",
        scene.canaries.value("WECOM_SECRET")
    );
    let toml = scene.toml(&api) + &office;
    let lines: Vec<_> = toml.lines().filter(|line| !line.starts_with("queue.database_url")).collect();
    let config = scene.write("wxops.toml", lines.join("\n") + "\n");
    let verb = |args: &[&str]| Act::new("all is well", &[&["--config", &config], args].concat());
    scene.keep_quiet(vec![verb(&["-vvv", "db", "migrate"])]).await;
    scene.keep_quiet(vec![verb(&["-vvv", "token", "refresh"])]).await;
    // A member, so that there is a notification.
    scene.keep_quiet(vec![verb(&["-vvv", "queue", "install", "--demo", "--yes"])]).await;
    let member = "INSERT INTO members (member_no, nickname, created_at, updated_at) VALUES ('A1', 'x', '2026-11-28', '2026-11-28')";
    rusqlite::Connection::open(scene.folder.path().join("wxops.db")).unwrap().execute(member, []).unwrap();
    let given = given_out(&scene, &sandbox).await;
    scene.canaries.add("access_token", &given);

    let serve = ["-vvv", "--config", &config, "serve"];
    let serve = Server::start(scene.folder.path(), &serve, &[], "listening on http://").await;
    let to = format!("http://{}/wechat/event", serve.address);
    let openid = crate::messages::OPENID;
    scene.keep_quiet(vec![verb(&["sandbox", "push", "subscribe", "--to", &to, "--openid", openid])]).await;
    until("the profile to be fetched", async || serve.log().contains("user/info").then_some(())).await;
    let listed = scene.keep_quiet(vec![verb(&["--json", "events", "list"])]).await;
    let id = listed[0].1.json()[0]["id"].as_str().unwrap().to_owned();

    let mut acts = Vec::new();
    for words in every_verb(scene.folder.path()).await {
        let words: Vec<_> = words
            .iter()
            .map(|word| if word == "1" { id.clone() } else { word.replace("http://127.0.0.1:1/wechat/event", &to) })
            .collect();
        let mut act = verb(&words.iter().map(String::as_str).collect::<Vec<_>>());
        act.stdin.clone_from(&typed);
        acts.extend(act.in_forms(&FORMS));
    }
    let ended = scene.keep_quiet(acts).await;
    let well = ended.iter().filter(|(_, outcome)| outcome.code == Some(0)).count();
    assert!(well * 4 > ended.len() * 3, "{well} of {} ended well", ended.len());
    scene.unseen("the log of serve", &serve.log());
    let sandbox = sandbox.log();
    assert!(!sandbox.is_empty());
    scene.unseen("the log of the sandbox", &sandbox);
}

/// The stand-in platform with the scene's account.
pub async fn sandbox(scene: &Scene) -> Server {
    let value = |name| scene.canaries.value(name);
    let accounts = format!(
        "[official.main]\napp_id = \"{APP_ID}\"\napp_secret = \"{}\"\noriginal_id = \"{ORIGINAL_ID}\"\n\
         token = \"{}\"\naes_key = \"{}\"\nmode = \"secure\"\n\
         [wecom.office]\ncorp_id = \"wwcanary\"\nagent_id = 1000002\nsecret = \"{}\"\n",
        value("WECHAT_APP_SECRET"),
        value("WECHAT_TOKEN"),
        value("WECHAT_AES_KEY"),
        value("WECOM_SECRET"),
    );
    let accounts = scene.write("accounts.toml", accounts);
    let args = ["-vvv", "sandbox", "run", "--listen", "127.0.0.1:0", "--followers", "3", "--accounts-file", &accounts];
    Server::start(scene.folder.path(), &args, &[], "listening on http://").await
}

/// The access_token that the account has now.
pub async fn given_out(scene: &Scene, sandbox: &Server) -> String {
    let secret = scene.canaries.value("WECHAT_APP_SECRET");
    let body = serde_json::json!({ "grant_type": "client_credential", "appid": APP_ID, "secret": secret });
    let headers = [("Content-Type", "application/json"), ("Connection", "close")];
    let request = http::request("POST", crate::platform::STABLE_TOKEN, &headers, body.to_string().as_bytes());
    let answer = http::once(sandbox.address, &request).await.unwrap();
    let answer: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    answer["access_token"].as_str().unwrap().to_owned()
}
