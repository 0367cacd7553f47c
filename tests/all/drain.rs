//! `queue drain`: what is due goes out, whoever is killed in the middle and whatever the platform says.

mod channel;
mod daemon;
mod digest;
mod kept;
mod kills;
mod pace;
mod pass;
mod waits;
mod words;

use crate::http;
use crate::platform::Platform;
use crate::process::{self, Server};
use crate::rows::Db;
use crate::stage::{Stage, until};
use serde_json::Value;

/// The application of these stories.
pub const CORP: &str = "ww0123456789abcdef";
const AGENT: i64 = 1_000_002;
const SECRET: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c";

/// A rule by which the userid of who is told stands in the member's row.
pub const BY_COLUMN: &str = "[[queue.rule]]\nto_column = \"wechat\"\n";

/// A stage whose platform knows the application, and whose queue is installed beside demo members.
pub struct Crm {
    pub stage: Stage,
    pub platform: Platform,
    /// Lines of `[wecom.crm]`.
    pub app: String,
    /// Lines of `[queue]`, and whatever tables follow.
    pub queue: String,
    /// The key of the sandbox's robot.
    robot: String,
}

impl Crm {
    /// With this sandbox, `to_user` and the queue's settings.
    pub async fn new(mut stage: Stage, sandbox: &[&str], to: &str, queue: &str) -> Self {
        let accounts = std::fs::read_to_string(stage.folder().join("accounts.toml")).unwrap_or_default();
        let accounts =
            accounts + &format!("[wecom.crm]\ncorp_id = \"{CORP}\"\nagent_id = {AGENT}\nsecret = \"{SECRET}\"\n");
        let accounts = stage.write("staff.toml", &accounts).display().to_string();
        let always = ["sandbox", "run", "--listen", "127.0.0.1:0", "--accounts-file", &accounts];
        let server = Server::start(stage.folder(), &[&always[..], sandbox].concat(), &[], "listening on http://").await;
        let robot = until("a robot's address", async || {
            let log = server.log();
            let (_, rest) = log.split_once("webhook/send?key=")?;
            rest.split_once('\n').map(|(key, _)| key.trim().to_owned())
        })
        .await;
        stage.take_sandbox(server);
        let platform = Platform::of(&stage);
        let app = format!("to_user = \"{to}\"\n");
        let mut crm = Crm { stage, platform, app, queue: queue.to_owned(), robot };
        crm.configure();
        crm.stage.verb(&["queue", "install", "--demo", "--yes"]).await.expect_code(0);
        crm
    }

    /// Writes what the fields say now.
    pub fn configure(&mut self) {
        let base = self.stage.sandbox();
        self.stage.settings = format!(
            "[queue]\n{}\n[wecom.crm]\ncorp_id = \"{CORP}\"\nagent_id = {AGENT}\nsecret = \"{SECRET}\"\napi_base = \"http://{base}\"\n{}",
            self.queue, self.app
        );
    }

    /// Gives the application the sandbox's robot.
    pub fn with_robot(&mut self) {
        self.app.push_str(&format!("webhook_key = \"{}\"\n", self.robot));
        self.configure();
    }

    /// So many new members, numbered on; every n-th has the same `wechat`.
    pub async fn register(&self, count: usize, people: usize) {
        let row = |at: usize| {
            format!(
                "('M{at}', 'member {at}', 'w{}', '13800138000', 'NORMAL', 'male', 'ACTIVE', 1, '2026-11-28 10:00:00', '2026-11-28 10:00:00')",
                at % people
            )
        };
        let begin = self.stage.number("SELECT COUNT(*) FROM members").await as usize;
        for chunk in (begin..begin + count).collect::<Vec<_>>().chunks(200) {
            let rows: Vec<String> = chunk.iter().map(|at| row(*at)).collect();
            let sql = format!(
                "INSERT INTO members (member_no, nickname, wechat, phone, type, gender, status, remaining_matches, created_at, updated_at) VALUES {}",
                rows.join(", ")
            );
            self.stage.execute(&sql).await;
        }
    }

    /// Rows of the queue in a state.
    pub async fn count(&self, state: &str) -> i64 {
        self.stage.number(&format!("SELECT COUNT(*) FROM member_notification_queue WHERE status = '{state}'")).await
    }

    /// What the platform has of messages.
    pub async fn told(&self) -> Value {
        let state = http::get(self.stage.sandbox(), "/sandbox/state").await.expect("an answer").text();
        serde_json::from_str::<Value>(&state).expect("JSON")["wecom"].clone()
    }

    /// Every message that somebody has received: userid, content.
    pub async fn received(&self) -> Vec<(String, String)> {
        let all = http::get(self.stage.sandbox(), "/sandbox/wecom/messages").await.expect("an answer").text();
        let read = |line: &str| {
            let line: Value = serde_json::from_str(line).expect("NDJSON");
            let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
            (text("userid"), text("content"))
        };
        all.lines().map(read).collect()
    }

    /// What 30 s do to the leases of the dead.
    pub async fn outlive_leases(&self) {
        let past = if self.stage.db == Db::Sqlite { "0" } else { "'2020-01-01'" };
        self.stage
            .execute(&format!("UPDATE member_notification_queue SET locked_until = {past} WHERE status = 'processing'"))
            .await;
    }

    /// What so many seconds do to what waits, and to what is known of the pace.
    pub async fn pass_time(&self, seconds: i64) {
        let earlier = match self.stage.db {
            Db::Sqlite => format!("available_at - {}", seconds * 1000),
            Db::MariaDb => format!("available_at - INTERVAL {seconds} SECOND"),
        };
        self.stage
            .execute(&format!("UPDATE member_notification_queue SET available_at = {earlier} WHERE status = 'pending'"))
            .await;
        self.stage
            .execute(&format!("UPDATE send_pace SET sent_at = sent_at - {} WHERE recipient <> ''", seconds * 1000))
            .await;
    }

    /// So many passes at once, which all end well.
    pub async fn drains(&self, count: usize, args: &[&str]) {
        let config = self.stage.config();
        let args = [&["--config", &config, "queue", "drain"], args].concat();
        let all = (0..count).map(|_| process::run(self.stage.folder(), &args, &[], ""));
        for done in futures_util::future::join_all(all).await {
            done.expect_code(0);
        }
    }

    /// Makes rows that are due as old as this, which a digest waits for.
    pub async fn make_old(&self) {
        let old = if self.stage.db == Db::Sqlite { "'2026-11-01T00:00:00.000Z'" } else { "'2026-11-01'" };
        self.stage.execute(&format!("UPDATE member_notification_queue SET created_at = {old}")).await;
    }

    /// A pass; its report.
    pub async fn drain(&self, code: i32) -> Value {
        let done = self.stage.verb(&["--json", "queue", "drain"]).await.expect_code(code);
        done.json().pop().unwrap_or_default()
    }
}

/// `stories! { a }` tells them with the limit of stories in which messages go out.
macro_rules! stories {
    ($($story:ident),+ $(,)?) => {
        mod sqlite { $crate::drain::stories!(@on Sqlite, $($story),+); }
        mod mariadb { $crate::drain::stories!(@on MariaDb, $($story),+); }
    };
    (@on $db:ident, $($story:ident),+) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $story() {
            let name = concat!(module_path!(), "::", stringify!($story));
            let stage = $crate::stage::Stage::new($crate::rows::Db::$db, name);
            $crate::stories::tell(stage, $crate::drain::LIMIT, super::$story).await;
        }
    )+};
}
pub(crate) use stories;

/// Longer than of others: a drain is called many times.
pub const LIMIT: std::time::Duration = std::time::Duration::from_secs(30);
