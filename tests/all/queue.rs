//! The WeCom notification queue in the database of a CRM: put there, looked after, taken out.

mod drift;
mod install;
mod rollback;
mod seed;
mod status;
mod test_verb;
mod texts;
mod waits;

use crate::process::Outcome;
use crate::rows::Db;
use crate::stage::Stage;
use serde_json::Value;
use std::process::Stdio;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// Seed 002's registration by the users' own side, as it is written there.
pub const REGISTRATION: &str = "INSERT INTO members (
    member_no, nickname, wechat, phone, type, gender, 
    status, remaining_matches, created_at, updated_at
) VALUES (
    'TEST001', '测试用户', 'test_wechat', '13800138000', 
    'NORMAL', 'male', 'ACTIVE', 1, NOW(), NOW()
);";

/// Installs the queue beside demo members, with these settings below `[queue]`.
pub async fn installed(stage: &mut Stage, settings: &str) {
    stage.settings = format!("[queue]\n{settings}\n");
    stage.verb(&["queue", "install", "--demo", "--yes"]).await.expect_code(0);
}

/// A member by its number and nickname.
pub async fn register(stage: &Stage, number: &str, nickname: &str) {
    let sql = format!(
        "INSERT INTO members (member_no, nickname, created_at, updated_at) \
         VALUES ('{number}', '{nickname}', '2026-11-28 10:00:00', '2026-11-28 10:00:00')"
    );
    stage.execute(&sql).await;
}

/// The payloads of the queue, in their order.
pub async fn payloads(stage: &Stage) -> Vec<Value> {
    let rows = stage.rows("SELECT payload FROM member_notification_queue ORDER BY id").await;
    let parse = |row: &Vec<Option<String>>| serde_json::from_str(row[0].as_deref().unwrap()).unwrap();
    rows.iter().map(parse).collect()
}

/// What `queue install --json` says of each thing: kind, name, state.
pub fn objects(outcome: &Outcome) -> Vec<(String, String)> {
    let shown = outcome.json().remove(0);
    let text = |object: &Value, key: &str| object[key].as_str().unwrap_or_default().to_owned();
    let objects = shown["objects"].as_array().unwrap();
    objects.iter().map(|object| (text(object, "name"), text(object, "state"))).collect()
}

/// How many of our things stand in the database.
pub async fn standing(stage: &Stage) -> i64 {
    let names = "('member_notification_queue', 'send_pace', 'queue_capture')";
    match stage.db {
        Db::Sqlite => {
            let sql = format!(
                "SELECT COUNT(*) FROM sqlite_master WHERE (type = 'table' AND name IN {names}) OR type = 'trigger'"
            );
            stage.number(&sql).await
        }
        Db::MariaDb => {
            let sql = format!(
                "SELECT (SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name IN {names}) \
                 + (SELECT COUNT(*) FROM information_schema.triggers WHERE trigger_schema = DATABASE()) \
                 + (SELECT COUNT(*) FROM information_schema.routines WHERE routine_schema = DATABASE())"
            );
            stage.number(&sql).await
        }
    }
}

/// Runs a script with the database's own shell; what it printed, or what it complained of.
pub async fn shell(stage: &Stage, script: &str) -> Result<String, String> {
    let url = stage.database_url();
    let mut command = match stage.db {
        Db::Sqlite => {
            let mut command = Command::new("sqlite3");
            command.args(["-bail", url.trim_start_matches("sqlite://")]);
            command
        }
        Db::MariaDb => {
            let (server, name) = url.rsplit_once('/').unwrap();
            let (host, port) = server.rsplit_once('@').unwrap().1.rsplit_once(':').unwrap();
            let mut command = Command::new("mysql");
            command.args(["--no-defaults", "--protocol=tcp", "-h", host, "-P", port, "-u", "root"]);
            // A host whose locale names no character set: the scripts must say which they are in.
            command.args(["--default-character-set=latin1", "-E", name]);
            command
        }
    };
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().expect("the database's own shell is there");
    child.stdin.take().unwrap().write_all(script.as_bytes()).await.unwrap();
    let output = child.wait_with_output().await.unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}
