//! Libraries that know nothing of us read our copies of tokens: silenceper/wechat and WxJava, over a real Redis, with
//! no way to the platform. `scripts/test` builds them.

use crate::redis::OwnRedis;
use crate::rows::{Db, skip};
use crate::stage::Stage;
use crate::stories::{LIMIT, tell};
use std::path::PathBuf;
use tokio::process::Command;

/// The folder of what `scripts/test` has built.
const READERS: &str = "WXOPS_TEST_READERS";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silenceper_reads_our_copies() {
    read("silenceper", ["stable", "official", "stable-mini", "mini", "work"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wxjava_reads_our_copies() {
    read("wxjava", ["mp", "mp", "ma", "ma", "cp"]).await;
}

/// An account of each kind gets a token; the library, asked as `kinds` say, has each.
async fn read(library: &str, kinds: [&str; 5]) {
    let story = format!("readers::{library}_reads_our_copies");
    let Some(reader) = reader(library, &story) else { return };
    tell(Stage::new(Db::Sqlite, &story), LIMIT, async |mut stage| {
        let Some(redis) = OwnRedis::start(stage.folder(), &story).await else { return };
        let accounts = accounts(&mut stage, &redis.url(), library);
        for (name, _) in &accounts {
            let token = format!("THE-TOKEN-OF-{name}\n");
            stage.verb_with(&["token", "set", "--account", name], &token).await.expect_code(0);
        }
        let mut asked = Command::new(&reader);
        asked.arg(redis.url().trim_start_matches("redis://"));
        for ((_, id), kind) in accounts.iter().zip(kinds) {
            asked.args([kind, id]);
        }
        // One that nobody has written: it asks the platform, which is what must not happen with the others.
        asked.args([kinds[0], "wxnobody"]);
        let output = asked.kill_on_drop(true).output().await.unwrap();
        let told = String::from_utf8(output.stdout).unwrap();
        let lines: Vec<&str> = told.lines().collect();
        let wanted: Vec<String> = accounts.iter().map(|(name, _)| format!("THE-TOKEN-OF-{name}")).collect();
        assert_eq!(lines[..lines.len() - 1], wanted, "{told}{}", String::from_utf8_lossy(&output.stderr));
        assert!(lines.last().unwrap().starts_with("error: "), "{told}");
    })
    .await;
}

/// The names of five accounts and the ids that a library is asked by, in the order of its kinds.
fn accounts(stage: &mut Stage, redis: &str, layout: &str) -> Vec<(&'static str, String)> {
    let main = stage.keys.app_id.clone();
    let layout = format!("token_redis_layout = \"{layout}\"\n");
    let base = format!("api_base = \"http://{}\"\n", stage.sandbox());
    stage.settings = format!("redis_url = \"{redis}\"\n");
    stage.account_settings = format!(
        "default = true\n{layout}\
         [official.legacy]\napp_id = \"wxlegacy\"\napp_secret = \"s\"\ntoken = \"abcdef\"\ntoken_api = \"token\"\n{base}{layout}\
         [minigame.game]\napp_id = \"wxgame\"\napp_secret = \"s\"\n{base}{layout}\
         [minigame.oldgame]\napp_id = \"wxoldgame\"\napp_secret = \"s\"\ntoken_api = \"token\"\n{base}{layout}\
         [wecom.app]\ncorp_id = \"wwcorp\"\nagent_id = \"1000002\"\nsecret = \"s\"\n{base}{layout}"
    );
    let ids = [main, "wxlegacy".into(), "wxgame".into(), "wxoldgame".into(), "wwcorp/1000002".into()];
    ["main", "legacy", "game", "oldgame", "app"].into_iter().zip(ids).collect()
}

fn reader(library: &str, story: &str) -> Option<PathBuf> {
    let built = std::env::var_os(READERS).map(|folder| PathBuf::from(folder).join(library).join("reader"));
    let reader = built.filter(|reader| reader.exists());
    if reader.is_none() {
        skip(story, &format!("{READERS} has no {library}/reader; scripts/test builds it"));
    }
    reader
}
