//! The stage of a story: a database of its own, a sandbox, the real binary, ports that nobody else has.

#![allow(dead_code, reason = "benches/load.rs mounts this file too and uses a part of it")]

use crate::http::{self, Answer};
use crate::process::{self, Outcome, Server};
use crate::rows::{Db, Rows};
use crate::signer::{self, Keys, Mode, Push};
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// What is waited for must come within this time: less than a story's limit, so that the story can say what did not.
pub const PATIENCE: Duration = Duration::from_secs(8);
/// Between two looks at what is waited for.
const POLL: Duration = Duration::from_millis(20);

/// Everything a story plays with. The fields may be changed before a server or a verb is started.
pub struct Stage {
    /// Which database it is played on.
    pub db: Db,
    /// The account.
    pub keys: Keys,
    /// How the account is set.
    pub mode: Mode,
    /// Further lines at the top of the configuration.
    pub settings: String,
    /// Further lines of the account's section.
    pub account_settings: String,
    /// Further variables for whatever is started, such as `LD_PRELOAD`.
    pub env: Vec<(String, String)>,
    rows: Rows,
    /// Where the platform is found instead: something that stands in the way.
    pub way: Option<SocketAddr>,
    sandbox: Option<Server>,
    folder: TempDir,
}

impl Stage {
    /// A stage with an empty, migrated database and a running sandbox; `None`, loudly, without the database's server.
    pub async fn new(db: Db, story: &str) -> Option<Self> {
        Self::with_followers(db, story, 0).await
    }

    /// The same, where the sandbox's account has followers.
    pub async fn with_followers(db: Db, story: &str, followers: u32) -> Option<Self> {
        let folder = Self::new_folder();
        let rows = Rows::open(db, story, folder.path()).await?;
        Some(Self::set(db, rows, folder, followers).await)
    }

    /// A stage on a MariaDB server of the story's own.
    pub async fn on_server(server: &str) -> Self {
        Self::set(Db::MariaDb, Rows::on_server(server).await, Self::new_folder(), 0).await
    }

    /// A stage on SQLite whose files are all below this folder.
    pub async fn below(folder: &std::path::Path, story: &str) -> Option<Self> {
        let folder = tempfile::Builder::new().prefix("wxops-story.").tempdir_in(folder).expect("a temporary folder");
        let rows = Rows::open(Db::Sqlite, story, folder.path()).await?;
        Some(Self::set(Db::Sqlite, rows, folder, 0).await)
    }

    fn new_folder() -> TempDir {
        tempfile::Builder::new().prefix("wxops-story.").tempdir().expect("a temporary folder")
    }

    async fn set(db: Db, rows: Rows, folder: TempDir, followers: u32) -> Self {
        let mut stage = Stage {
            db,
            keys: Keys::default(),
            mode: Mode::Secure,
            settings: String::new(),
            account_settings: String::new(),
            env: Vec::new(),
            rows,
            sandbox: None,
            way: None,
            folder,
        };
        let accounts = stage.write("accounts.toml", &stage.account_section());
        let followers = followers.to_string();
        let args = ["sandbox", "run", "--listen", "127.0.0.1:0", "--followers", &followers, "--accounts-file"];
        let args = [&args[..], &[accounts.to_str().expect("an ASCII path")]].concat();
        stage.sandbox = Some(Server::start(stage.folder.path(), &args, &[], "listening on http://").await);
        stage.verb(&["db", "migrate"]).await.expect_code(0);
        stage
    }

    /// The folder of the story.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Where the stand-in platform listens.
    pub fn sandbox(&self) -> SocketAddr {
        self.sandbox.as_ref().expect("started by new").address
    }

    /// Plays with another platform than the one that `new` started.
    pub fn take_sandbox(&mut self, sandbox: Server) {
        self.sandbox = Some(sandbox);
    }

    /// Starts `serve` and waits until it is ready.
    pub async fn serve(&self) -> Serve {
        self.serve_with(&[]).await
    }

    /// Starts `serve` with further arguments and waits until it is ready.
    pub async fn serve_with(&self, args: &[&str]) -> Serve {
        let config = self.config();
        let args = [&["--config", &config, "serve"], args].concat();
        let mut server = Server::start(self.folder.path(), &args, &self.env, "listening on http://").await;
        let metrics = server.address_after("metrics on http://").await;
        let serve = Serve { server, metrics, keys: self.keys.clone(), mode: self.mode };
        until("serve to be ready", async || {
            let answer = http::get(serve.address(), "/readyz").await.ok()?;
            (answer.status == 200).then_some(())
        })
        .await;
        serve
    }

    /// The database, for connections past the program.
    pub fn database_url(&self) -> &str {
        &self.rows.url
    }

    /// Runs a verb to its end.
    pub async fn verb(&self, args: &[&str]) -> Outcome {
        self.verb_with(args, "").await
    }

    /// Runs a verb that reads stdin.
    pub async fn verb_with(&self, args: &[&str], stdin: &str) -> Outcome {
        let config = self.config();
        process::run(self.folder.path(), &[&["--config", &config], args].concat(), &self.env, stdin).await
    }

    /// The rows of a query, every value as text.
    pub async fn rows(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        self.rows.all(sql).await
    }

    /// The one number of a query such as `SELECT COUNT(*) …`.
    pub async fn number(&self, sql: &str) -> i64 {
        let rows = self.rows.all(sql).await;
        let only = rows.first().and_then(|row| row.first()).and_then(|value| value.as_deref());
        only.and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("no number from {sql}: {rows:?}"))
    }

    /// Changes rows behind the program's back.
    pub async fn execute(&self, sql: &str) {
        self.rows.execute(sql).await;
    }

    /// How many callbacks are stored.
    pub async fn stored(&self) -> i64 {
        self.number("SELECT COUNT(*) FROM inbox_event").await
    }

    /// Waits until no stored callback is due any more.
    pub async fn settled(&self) {
        let undone = "SELECT COUNT(*) FROM inbox_event WHERE state = 'new'";
        until("every event to be settled", async || (self.number(undone).await == 0).then_some(())).await;
    }

    /// Between the death of a process and the next: what 30 s would do to the dead one's leases. On SQLite the new
    /// process knows by the file's lock that nobody else lives, and takes them at once.
    pub async fn outlive_leases(&self) {
        if self.db == Db::MariaDb {
            self.execute("UPDATE inbox_event SET lease_until = 0 WHERE state = 'new'").await;
        }
    }

    /// The path of a fresh configuration file, made of the fields as they are now.
    pub fn config(&self) -> String {
        let text = format!(
            "database_url = \"{}\"\nlisten = \"127.0.0.1:0\"\nmetrics_listen = \"127.0.0.1:0\"\n{}\n{}api_base = \"http://{}\"\n{}\n",
            self.rows.url,
            self.settings,
            self.account_section(),
            self.way
                .or(self.sandbox.as_ref().map(|it| it.address))
                .map_or("127.0.0.1:1".to_owned(), |it| it.to_string()),
            self.account_settings,
        );
        self.write("wxops.toml", &text).to_str().expect("an ASCII path").to_owned()
    }

    /// Writes a file of mode 0600 into the story's folder.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).expect("the folder is ours");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("the file is ours");
        path
    }

    fn account_section(&self) -> String {
        let Keys { app_id, secret, original_id, token, aes_key } = &self.keys;
        let aes_key = match self.mode {
            Mode::Plain => String::new(),
            _ => format!("aes_key = \"{aes_key}\"\n"),
        };
        format!(
            "[official.main]\napp_id = \"{app_id}\"\nsecret = \"{secret}\"\noriginal_id = \"{original_id}\"\n\
             token = \"{token}\"\n{aes_key}mode = \"{}\"\n",
            self.mode.word()
        )
    }
}

/// A running `serve`.
pub struct Serve {
    server: Server,
    /// The metrics listener.
    pub metrics: SocketAddr,
    keys: Keys,
    mode: Mode,
}

impl Serve {
    /// The public listener.
    pub fn address(&self) -> SocketAddr {
        self.server.address
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.server.log()
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.server.pid()
    }

    /// `kill -9`, and waits for the end.
    pub async fn kill(&mut self) {
        self.server.kill().await;
    }

    /// `kill -9`, without waiting for the end.
    pub fn kill_now(&mut self) {
        self.server.kill_now();
    }

    /// Waits for its end; the exit code.
    pub async fn wait(&mut self) -> Option<i32> {
        self.server.wait().await
    }

    /// SIGHUP: it loads its configuration again.
    pub fn hangup(&self) {
        self.server.signal("HUP");
    }

    /// SIGTERM; the exit code, and how long it took.
    pub async fn stop(&mut self) -> (Option<i32>, Duration) {
        let start = Instant::now();
        self.server.signal("TERM");
        (self.server.wait().await, start.elapsed())
    }

    /// Sends a push of this message in the account's mode.
    pub async fn push(&self, xml: &str) -> Answer {
        self.send(&signer::push(&self.keys, self.mode, xml)).await
    }

    /// POSTs a push, honest or spoilt.
    pub async fn send(&self, push: &Push) -> Answer {
        let bytes = http::request("POST", &push.target("/wechat/event"), &[("Content-Type", "text/xml")], &push.body);
        http::once(self.address(), &bytes).await.expect("an answer")
    }

    /// GETs with the query of a push.
    pub async fn get(&self, push: &Push) -> Answer {
        http::get(self.address(), &push.target("/wechat/event")).await.expect("an answer")
    }

    /// The sum of the series of that name which carry all these labels.
    pub async fn metric(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let page = http::get(self.metrics, "/metrics").await.expect("an answer");
        assert_eq!(page.status, 200);
        series(&page.text(), name, labels).iter().sum()
    }

    /// How many requests were refused for this reason.
    pub async fn refused(&self, reason: &str) -> f64 {
        self.metric("wxops_callback_refused_total", &[("reason", reason)]).await
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- serve said\n{}---", self.log());
        }
    }
}

/// The values of the series of that name with all these labels in a page of Prometheus text.
pub fn series(page: &str, name: &str, labels: &[(&str, &str)]) -> Vec<f64> {
    let wanted: Vec<_> = labels.iter().map(|(key, value)| format!("{key}=\"{value}\"")).collect();
    let mut values = Vec::new();
    for line in page.lines() {
        let Some((key, value)) = line.rsplit_once(' ').filter(|_| !line.starts_with('#')) else { continue };
        let (known, set) = key.split_once('{').unwrap_or((key, "}"));
        let set: Vec<_> = set.trim_end_matches('}').split(',').collect();
        if known == name && wanted.iter().all(|label| set.contains(&label.as_str())) {
            values.push(value.parse().unwrap_or(f64::NAN));
        }
    }
    values
}

/// Looks until there is something, for at most [`PATIENCE`].
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < end, "waited {PATIENCE:?} for {what}");
        tokio::time::sleep(POLL).await;
    }
}
