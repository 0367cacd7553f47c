//! A server of benches/race: made ready, started on a database of its own.

use super::super::under::Child;
use crate::rows::{Db, Rows};
use crate::signer::Keys;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::process::Command;

/// Not listening by then: it has failed.
const PATIENCE: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(50);

/// The contestants, each a folder with `prepare` and `run`.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/race");

pub struct Contestant {
    pub name: String,
    program: PathBuf,
    folder: PathBuf,
}

/// Those that can run here, in the order of their names, each made in a folder of its own below this one. The others
/// are named with what they said.
pub async fn ready(place: &Path, only: &[String]) -> Vec<Contestant> {
    let root = Path::new(ROOT);
    let entries = std::fs::read_dir(root).expect("benches/race").map(|entry| entry.expect("an entry").path());
    let mut programs: Vec<PathBuf> = entries.filter(|path| path.join("run").exists()).collect();
    programs.sort();
    let mut ready = Vec::new();
    for program in programs {
        let name = program.file_name().expect("an entry").to_string_lossy().into_owned();
        if !only.is_empty() && !only.contains(&name) {
            continue;
        }
        let folder = place.join(&name);
        match prepare(&program, &folder).await {
            Ok(()) => ready.push(Contestant { name, program, folder }),
            Err(why) => eprintln!("SKIPPED: {name}: {why}"),
        }
    }
    ready
}

async fn prepare(program: &Path, folder: &Path) -> Result<(), String> {
    std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    let output = Command::new(program.join("prepare")).arg(folder).kill_on_drop(true).output().await;
    let output = output.map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
}

/// A contestant that listens, and its database.
pub struct Running {
    pub child: Child,
    pub rows: Rows,
    db: Db,
    _folder: tempfile::TempDir,
}

impl Contestant {
    /// One that was made ready there before.
    pub fn made(name: &str, folder: PathBuf) -> Contestant {
        Contestant { name: name.to_owned(), program: Path::new(ROOT).join(name), folder }
    }

    /// On fresh tables.
    pub async fn start(&self, db: Db, env: &[(String, String)]) -> Running {
        let folder = tempfile::Builder::new().prefix("race.").tempdir().expect("a temporary folder");
        let rows = Rows::open(db, "race", folder.path()).await.expect("a database; scripts/bench starts it");
        let (variable, place, tables) = match db {
            Db::Sqlite => {
                ("RACE_SQLITE", rows.url.trim_start_matches("sqlite://"), include_str!("../../race/sqlite.sql"))
            }
            Db::MariaDb => ("RACE_MARIADB", rows.url.as_str(), include_str!("../../race/mariadb.sql")),
        };
        if db == Db::Sqlite {
            // The one who opens it makes the file.
            std::fs::File::create(place).expect("the folder is ours");
        }
        for table in tables.split(';').filter(|table| !table.trim().is_empty()) {
            rows.execute(table).await;
        }
        let keys = Keys::default();
        let address = free_address();
        let mut command = Command::new(self.program.join("run"));
        command.arg(&self.folder).envs(env.iter().cloned()).env(variable, place);
        command.env("RACE_PORT", address.port().to_string());
        command.env("RACE_TOKEN", keys.token).env("RACE_AES_KEY", keys.aes_key).env("RACE_APP_ID", keys.app_id);
        let mut child = Child::of(&mut command, address, folder.path().join("log")).expect("bash is there");
        self.listening(&mut child).await;
        Running { child, rows, db, _folder: folder }
    }

    async fn listening(&self, child: &mut Child) {
        let end = tokio::time::Instant::now() + PATIENCE;
        while TcpStream::connect(child.address()).await.is_err() {
            let ended = child.ended();
            assert!(
                ended.is_none() && tokio::time::Instant::now() < end,
                "{} does not run:\n{}",
                self.name,
                child.log()
            );
            tokio::time::sleep(LOOK).await;
        }
    }
}

impl Running {
    pub async fn number(&self, sql: &str) -> u64 {
        let rows = self.rows.all(sql).await;
        rows[0][0].as_deref().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("no number from {sql}"))
    }

    pub async fn end(self) {
        self.child.end().await;
        if self.db == Db::MariaDb {
            let name = self.rows.all("SELECT DATABASE()").await[0][0].clone().expect("a database is chosen");
            self.rows.execute(&format!("DROP DATABASE {name}")).await;
        }
    }

    pub fn db(&self) -> Db {
        self.db
    }
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("bound")
}
