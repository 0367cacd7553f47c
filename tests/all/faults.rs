//! What goes wrong with a database: a proxy that stalls it or cuts a connection at a COMMIT, a lock held by
//! another process, a server of one's own. The stories that use them may take 30 s.

use crate::rows::{Db, skip};
use crate::stage::Stage;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How long a fault story may take.
pub const LIMIT: Duration = Duration::from_secs(30);

/// As `stories!`, within the limit of fault stories.
macro_rules! fault_stories {
    ($($story:ident),+ $(,)?) => {
        mod sqlite { $crate::faults::fault_stories!(@on Sqlite, $($story),+); }
        mod mariadb { $crate::faults::fault_stories!(@on MariaDb, $($story),+); }
    };
    (@on $db:ident, $($story:ident),+) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $story() {
            let name = concat!(module_path!(), "::", stringify!($story));
            let stage = $crate::stage::Stage::new($crate::rows::Db::$db, name);
            $crate::stories::tell(stage, $crate::faults::LIMIT, super::$story).await;
        }
    )+};
}
pub(crate) use fault_stories;

/// The server's address and the name of the story's database on it.
pub async fn mariadb_of(stage: &Stage) -> (SocketAddr, String) {
    let url = std::env::var("WXOPS_TEST_DATABASE_URL_MARIADB").expect("the stage stands on it");
    let host = url.rsplit('@').next().unwrap_or_default().trim_end_matches('/');
    let name = stage.rows("SELECT DATABASE()").await[0][0].clone().expect("a database is chosen");
    (host.parse().expect("scripts/test gives an address and a port"), name)
}

/// A connection of somebody else to the story's database on MariaDB.
pub async fn stranger(stage: &Stage) -> sqlx::MySqlConnection {
    let (address, name) = mariadb_of(stage).await;
    let url = format!("mysql://root@{address}/{name}");
    <sqlx::MySqlConnection as sqlx::Connection>::connect(&url).await.expect("the server answers")
}

/// Stands between `serve` and its MariaDB.
pub struct Proxy {
    state: Arc<State>,
}

struct State {
    server: SocketAddr,
    /// Nothing passes while it is true.
    stalled: watch::Sender<bool>,
    trap: Mutex<Option<Trap>>,
    sprung: AtomicUsize,
}

/// Where in a transaction a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// COMMIT is sent and does not reach the server.
    Before,
    /// The server has committed and its answer does not come back.
    After,
    /// COMMIT waits until [`Proxy::resume`]; other connections go on.
    Hold,
}

/// Springs at the COMMIT of a transaction that has carried these bytes.
struct Trap {
    marker: Vec<u8>,
    cut: Cut,
    /// COMMITs that pass first.
    skip: usize,
    /// COMMITs that are cut then.
    times: usize,
}

impl Proxy {
    /// Puts a proxy between the programs that this stage will start and its MariaDB.
    pub async fn before(stage: &mut Stage) -> Self {
        let (server, name) = mariadb_of(stage).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it listens");
        stage.env.push(("DATABASE_URL".into(), format!("mysql://root@{address}/{name}?ssl-mode=disabled")));
        let (stalled, _) = watch::channel(false);
        let state = Arc::new(State { server, stalled, trap: Mutex::default(), sprung: AtomicUsize::new(0) });
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(shared.clone().carry(client));
            }
        });
        Proxy { state }
    }

    /// Nothing passes any more, in neither direction; nothing is closed.
    pub fn stall(&self) {
        self.state.stalled.send_replace(true);
    }

    /// Everything passes again, what was held first.
    pub fn resume(&self) {
        *self.state.trap.lock().expect("nobody panics with it") = None;
        self.state.stalled.send_replace(false);
    }

    /// Cuts `times` transactions that carry the marker, after `skip` of them have passed.
    pub fn cut(&self, marker: &str, cut: Cut, skip: usize, times: usize) {
        let trap = Trap { marker: marker.as_bytes().to_vec(), cut, skip, times };
        *self.state.trap.lock().expect("nobody panics with it") = Some(trap);
        self.state.sprung.store(0, SeqCst);
    }

    /// How many COMMITs were cut or held since the trap was set.
    pub fn sprung(&self) -> usize {
        self.state.sprung.load(SeqCst)
    }
}

impl State {
    async fn carry(self: Arc<Self>, mut client: TcpStream) {
        let Ok(mut server) = TcpStream::connect(self.server).await else { return };
        let _ = client.set_nodelay(true).and_then(|()| server.set_nodelay(true));
        let (mut up, mut down) = (vec![0; 1 << 16], vec![0; 1 << 16]);
        let (mut carried, mut cut_answer) = (false, false);
        let mut stalled = self.stalled.subscribe();
        loop {
            tokio::select! {
                read = client.read(&mut up) => {
                    let Ok(count @ 1..) = read else { return };
                    let bytes = &up[..count];
                    carried |= self.marked(bytes);
                    if is_commit(bytes) {
                        match self.verdict(carried) {
                            Some(Cut::Before) => return,
                            Some(Cut::After) => cut_answer = true,
                            Some(Cut::Hold) => while self.holds() { tokio::time::sleep(Duration::from_millis(10)).await },
                            None => {}
                        }
                        carried = false;
                    }
                    let _ = stalled.wait_for(|stalled| !stalled).await;
                    if server.write_all(bytes).await.is_err() { return }
                }
                read = server.read(&mut down) => {
                    let Ok(count @ 1..) = read else { return };
                    if cut_answer { return }
                    let _ = stalled.wait_for(|stalled| !stalled).await;
                    if client.write_all(&down[..count]).await.is_err() { return }
                }
            }
        }
    }

    fn marked(&self, bytes: &[u8]) -> bool {
        let trap = self.trap.lock().expect("nobody panics with it");
        trap.as_ref().is_some_and(|trap| holds(bytes, &trap.marker))
    }

    fn holds(&self) -> bool {
        self.trap.lock().expect("nobody panics with it").is_some()
    }

    fn verdict(&self, carried: bool) -> Option<Cut> {
        let mut trap = self.trap.lock().expect("nobody panics with it");
        let trap = trap.as_mut().filter(|trap| carried && trap.times > 0)?;
        if trap.skip > 0 {
            trap.skip -= 1;
            return None;
        }
        trap.times -= 1;
        self.sprung.fetch_add(1, SeqCst);
        Some(trap.cut)
    }
}

/// COM_QUERY with the text COMMIT: sent alone, because its answer is waited for.
fn is_commit(bytes: &[u8]) -> bool {
    holds(bytes, b"\x03COMMIT")
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    !part.is_empty() && bytes.windows(part.len()).any(|window| window == part)
}

/// Stops every commit of `serve`: SQLite by a lock that another process (this one) holds, MariaDB by a proxy.
pub enum Stall {
    Lock(rusqlite::Connection),
    Proxy(Proxy),
}

impl Stall {
    /// To be made before `serve` is started.
    pub async fn before(stage: &mut Stage) -> Self {
        match stage.db {
            Db::Sqlite => {
                Stall::Lock(rusqlite::Connection::open(stage.folder().join("wxops.db")).expect("the file is there"))
            }
            Db::MariaDb => Stall::Proxy(Proxy::before(stage).await),
        }
    }

    /// From here on no commit comes through.
    pub fn begin(&self) {
        match self {
            Stall::Lock(db) => {
                db.busy_timeout(Duration::from_secs(5)).expect("a limit");
                db.execute_batch("BEGIN IMMEDIATE").expect("the lock is free");
            }
            Stall::Proxy(proxy) => proxy.stall(),
        }
    }

    /// Commits come through again.
    pub fn end(&self) {
        match self {
            Stall::Lock(db) => db.execute_batch("ROLLBACK").expect("the lock is ours"),
            Stall::Proxy(proxy) => proxy.resume(),
        }
    }
}

/// A MariaDB of this story alone; it ends with the value, and with the test's process.
pub struct OwnMariaDb {
    keeper: Child,
    answers: BufReader<ChildStdout>,
    /// `mysql://root@127.0.0.1:PORT`
    pub url: String,
}

/// What is done to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// SIGSTOP: it holds its connections and answers nothing.
    Hang,
    /// SIGCONT.
    GoOn,
    /// `kill -9`.
    Kill,
    /// It starts once more, at the same address.
    Again,
}

impl OwnMariaDb {
    /// Starts one in the story's folder; `None`, loudly, without the server program.
    pub fn start(stage: &Stage, story: &str) -> Option<Self> {
        Self::start_in(&stage.folder().join("own"), story)
    }

    /// Starts one in this folder; `None`, loudly, without the server program.
    pub fn start_in(folder: &Path, story: &str) -> Option<Self> {
        // The shell ends the server when its stdin ends, however this process does.
        let script = "set -eu; . scripts/mariadb.sh; if mariadb_missing; then echo missing; exit 0; fi; \
                      trap mariadb_stop EXIT; mariadb_start \"$1\"; echo \"$MARIADB_URL\"; \
                      while read -r order; do case $order in \
                      Hang) kill -STOP -- \"-$MARIADB_GROUP\" ;; GoOn) kill -CONT -- \"-$MARIADB_GROUP\" ;; \
                      Kill) mariadb_stop ;; Again) mariadb_again \"$1\" ;; esac; echo done; done";
        let mut keeper = Command::new("bash")
            .args(["-c", script, "mariadb"])
            .arg(folder)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("bash is there");
        let answers = BufReader::new(keeper.stdout.take().expect("piped"));
        let mut own = OwnMariaDb { keeper, answers, url: String::new() };
        own.url = own.line();
        assert!(!own.url.is_empty(), "the server did not start, see above");
        if own.url == "missing" {
            skip(story, "there is no mariadbd here");
            return None;
        }
        Some(own)
    }

    /// Does something to the server; returns when it is done, after a start when the server is ready.
    pub fn order(&mut self, order: Order) {
        let stdin = self.keeper.stdin.as_mut().expect("piped");
        writeln!(stdin, "{order:?}").expect("the keeper lives");
        assert_eq!(self.line(), "done", "{order:?}");
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("its output");
        line.trim_end().to_owned()
    }
}

impl Drop for OwnMariaDb {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}
