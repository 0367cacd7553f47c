//! Wrong configurations: the exit code, the key, where it was read from, and what to do; never a secret.

use crate::faults::mariadb_of;
use crate::http;
use crate::messages::{OPENID, subscribe, text};
use crate::process::{self, Outcome};
use crate::reload;
use crate::rows::Db;
use crate::signer::{self, Keys, Mode, Push};
use crate::stage::Stage;
use crate::stories::{LIMIT, stories, tell};
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::process::Command;

stories! {
    an_account_belongs_to_its_app_id,
    sandbox_and_real_are_not_mixed,
    a_port_that_is_taken,
    crossed_events_are_refused,
}

/// nobody
const NOBODY: u32 = 65534;

/// Runs a verb with this text as its configuration, looks at the error and gives what it said.
async fn fails(stage: &Stage, text: &str, verb: &[&str], code: i32, words: &[&str]) -> Outcome {
    let file = stage.write("wrong.toml", text);
    let args = [&["--config", file.to_str().unwrap()], verb].concat();
    said(stage, process::run(stage.folder(), &args, &[], "").await, code, words)
}

/// The exit code, these words, nothing on stdout, no panic, no secret.
#[track_caller]
fn said(stage: &Stage, outcome: Outcome, code: i32, words: &[&str]) -> Outcome {
    let outcome = outcome.expect_code(code);
    for word in words {
        assert!(outcome.stderr.contains(word), "{word:?} is missing in: {}", outcome.stderr);
    }
    assert_eq!(outcome.stdout, "");
    assert!(!outcome.stderr.contains("internal error"), "{}", outcome.stderr);
    let secrets = [&stage.keys.secret, &stage.keys.token, &stage.keys.aes_key[..20], "pa55word"];
    assert!(secrets.iter().all(|secret| !outcome.stderr.contains(*secret)), "{}", outcome.stderr);
    outcome
}

/// The stage's own configuration with a line changed, or dropped where `to` is empty.
fn with(stage: &Stage, line: &str, to: &str) -> String {
    let text = fs::read_to_string(stage.config()).unwrap();
    assert!(text.lines().any(|known| known.starts_with(line)), "{line} in {text}");
    text.lines().map(|known| if known.starts_with(line) { to } else { known }).map(|line| format!("{line}\n")).collect()
}

async fn on_sqlite(story: &str, play: impl AsyncFnOnce(Stage)) {
    tell(Stage::new(Db::Sqlite, story), LIMIT, play).await;
}

#[tokio::test]
async fn keys_that_are_missing_or_wrong() {
    on_sqlite("configuration::keys_that_are_missing_or_wrong", async |stage| {
        let short = format!("aes_key = \"{}\"", &stage.keys.aes_key[..42]);
        let file = "wrong.toml";
        for (line, to, words) in [
            ("token = ", "", &["TOKEN is missing", "line 6 of", file][..]),
            ("app_id = ", "", &["app_id"]),
            ("aes_key = ", &short, &["aes_key", "43", "line 10 of", file]),
            ("aes_key = ", "", &["mode", "EncodingAESKey", "WECHAT_AES_KEY", file]),
            ("mode = ", "mode = \"safe\"", &["mode", "plain, compat or secure", file]),
            ("token = ", "tokne = \"x\"\ntoken = \"x\"", &["tokne", "unknown key", "line 9 of", file]),
            ("listen = ", "listen = \"8080\"", &["listen", "line 2 of", file]),
            ("database_url = ", "database_url = \"postgres://u:pa55word@h/d\"", &["database_url", "mysql://", file]),
            ("database_url = ", "database_url = \"mysql://u:pa55word@/d\"", &["database_url", file]),
            ("database_url = ", "database_url = \"sqlite::memory:\"", &["database_url", "no file", file]),
            ("database_url = ", "database_url = = 1", &["line 1 of", file]),
        ] {
            let text = with(&stage, line, to);
            fails(&stage, &text, &["serve"], 78, words).await;
        }
        let text = with(&stage, "token = ", "");
        let json = fails(&stage, &text, &["--json", "serve"], 78, &[]).await;
        let last: serde_json::Value = serde_json::from_str(json.stderr.lines().last().unwrap()).unwrap();
        assert!(last.to_string().contains("TOKEN is missing"), "{last}");
        // A verb that needs no Token minds a wrong file, too.
        let text = with(&stage, "token = ", "tokne = \"x\"");
        fails(&stage, &text, &["followers", "list"], 78, &["tokne", "line 9"]).await;
        let none = fails(&stage, "listen = \"127.0.0.1:0\"\n", &["serve"], 78, &["no Official Account"]).await;
        assert!(none.stderr.contains("wxops init"), "{}", none.stderr);
    })
    .await;
}

#[tokio::test]
async fn files_that_others_can_read() {
    on_sqlite("configuration::files_that_others_can_read", async |stage| {
        let config = stage.config();
        for mode in [0o644, 0o604, 0o660, 0o700] {
            fs::set_permissions(&config, Permissions::from_mode(mode)).unwrap();
            let outcome = process::run(stage.folder(), &["--config", &config, "serve"], &[], "").await;
            said(&stage, outcome, 78, &["wxops.toml", &format!("mode {mode:04o}"), "chmod 600"]);
        }
        fails(&stage, "", &["--config", "missing.toml", "serve"], 2, &[]).await;
        let gone = process::run(stage.folder(), &["--config", "gone.toml", "serve"], &[], "").await;
        said(&stage, gone, 78, &["gone.toml"]);

        // The AppSecret from a file of its own: fine, readable by all, not there, empty.
        let secret = stage.write("secret", &format!("{}\n", stage.keys.secret));
        let env = |path: &Path| vec![("WECHAT_APP_SECRET_FILE".to_owned(), path.to_str().unwrap().to_owned())];
        let text = with(&stage, "secret = ", "");
        let file = stage.write("wxops.toml", &text);
        let run = async |env: &[(String, String)]| {
            let args = ["--config", file.to_str().unwrap(), "token", "refresh"];
            process::run(stage.folder(), &args, env, "").await
        };
        run(&env(&secret)).await.expect_code(0);
        fs::set_permissions(&secret, Permissions::from_mode(0o644)).unwrap();
        said(&stage, run(&env(&secret)).await, 78, &["WECHAT_APP_SECRET", "secret", "mode 0644", "chmod 600"]);
        let gone = stage.folder().join("gone");
        said(&stage, run(&env(&gone)).await, 78, &["WECHAT_APP_SECRET_FILE", "gone"]);
        said(&stage, run(&[]).await, 78, &["AppSecret", "secret"]);
    })
    .await;
}

/// As root modes mean nothing, so the program runs as nobody there.
#[tokio::test]
async fn a_database_that_is_read_only() {
    on_sqlite("configuration::a_database_that_is_read_only", async |stage| {
        let folder = stage.folder();
        let config = stage.config();
        let root = fs::metadata(folder).unwrap().uid() == 0;
        // In a place of its own, because nobody may not look into a folder of root's.
        let place = tempfile::Builder::new().prefix("wxops-nobody.").tempdir().unwrap();
        let (binary, toml) = (place.path().join("wxops"), place.path().join("wxops.toml"));
        fs::hard_link(env!("CARGO_BIN_EXE_wxops"), &binary)
            .or_else(|_| fs::copy(env!("CARGO_BIN_EXE_wxops"), &binary).map(drop))
            .unwrap();
        let database = place.path().join("data");
        fs::create_dir(&database).unwrap();
        let url = format!("database_url = \"sqlite://{}/wxops.db\"", database.display());
        let text = fs::read_to_string(&config).unwrap();
        let text: Vec<_> =
            text.lines().map(|line| if line.starts_with("database_url") { &url } else { line }).collect();
        fs::write(&toml, text.join("\n")).unwrap();
        fs::set_permissions(&toml, Permissions::from_mode(0o600)).unwrap();
        if root {
            [place.path(), &toml, &database].iter().for_each(|path| chown(path, Some(NOBODY), Some(NOBODY)).unwrap());
        }
        let run = |verb: &[&str]| {
            let mut command = match root {
                true => {
                    let mut command = Command::new("setpriv");
                    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&binary);
                    command
                }
                false => Command::new(&binary),
            };
            let output = command.arg("--config").arg(&toml).args(verb).current_dir(place.path()).env_clear();
            let output = output.env("PATH", std::env::var_os("PATH").unwrap_or_default()).output().unwrap();
            let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
            Outcome { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
        };
        run(&["db", "migrate"]).expect_code(0);
        let file = database.join("wxops.db");
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600, "a new database is its owner's alone");

        // The file, then its folder, where SQLite puts the WAL.
        fs::set_permissions(&file, Permissions::from_mode(0o400)).unwrap();
        for verb in [&["serve"][..], &["token", "refresh"]] {
            said(&stage, run(verb), 78, &["wxops.db", "can't be written", "the user who runs wxops"]);
        }
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        for name in ["wxops.db-wal", "wxops.db-shm", "wxops.db.lock"] {
            let _ = fs::remove_file(database.join(name));
        }
        fs::set_permissions(&database, Permissions::from_mode(0o500)).unwrap();
        for verb in [&["serve"][..], &["token", "refresh"]] {
            said(&stage, run(verb), 78, &["wxops.db", "the user who runs wxops"]);
        }
        fs::remove_dir_all(&database)
            .or_else(|_| {
                fs::set_permissions(&database, Permissions::from_mode(0o700))?;
                fs::remove_dir_all(&database)
            })
            .unwrap();
        said(&stage, run(&["serve"]), 78, &["wxops.db", "folder"]);
        said(&stage, run(&["followers", "list"]), 78, &["wxops.db", "folder"]);
        fs::create_dir(&database).unwrap();
        if root {
            chown(&database, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        fs::write(&file, "no database at all, but long enough to be looked at").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o666)).unwrap();
        said(&stage, run(&["serve"]), 78, &["wxops.db", "no SQLite database"]);
        fs::remove_file(&file).unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_mariadb_that_is_not_to_be_had() {
    let story = "configuration::a_mariadb_that_is_not_to_be_had";
    tell(Stage::new(Db::MariaDb, story), LIMIT, async |stage| {
        let (server, name) = mariadb_of(&stage).await;
        for (url, code, words) in [
            // Nobody listens there; a login and a database that the server does not know.
            (
                format!("mysql://root:pa55word@127.0.0.1:1/{name}"),
                69,
                &["127.0.0.1:1 can't be reached", "Connection refused", "DATABASE_URL"][..],
            ),
            (
                format!("mysql://root:pa55word@{server}/{name}"),
                78,
                &["refuses the login", "Access denied", "DATABASE_URL"],
            ),
            (format!("mysql://nobody:pa55word@{server}/{name}"), 78, &["refuses the login", "DATABASE_URL"]),
            (format!("mysql://root@{server}/no_such_database"), 78, &["no_such_database", "DATABASE_URL"]),
        ] {
            let text = with(&stage, "database_url = ", &format!("database_url = \"{url}\""));
            for verb in [&["serve"][..], &["events", "list"], &["db", "migrate"]] {
                fails(&stage, &text, verb, code, words).await;
            }
        }
        // A database without a schema is not migrated behind anybody's back.
        stage.execute("DROP TABLE _sqlx_migrations").await;
        let text = fs::read_to_string(stage.config()).unwrap();
        for verb in [&["serve"][..], &["events", "list"], &["followers", "list"], &["token", "show"]] {
            fails(&stage, &text, verb, 78, &["schema", "wxops db migrate"]).await;
        }
        stage.verb(&["db", "migrate"]).await.expect_code(0);
        assert_eq!(stage.serve().await.push(&subscribe(OPENID)).await.status, 200);
    })
    .await;
}

/// Somebody has served on this database.
async fn begun(stage: &Stage) {
    let mut serve = stage.serve().await;
    assert_eq!(serve.push(&subscribe(OPENID)).await.status, 200);
    assert_eq!(serve.stop().await.0, Some(0));
}

/// A name is bound to its AppID: events of two accounts are never mixed under one.
async fn an_account_belongs_to_its_app_id(stage: Stage) {
    begun(&stage).await;
    let other = with(&stage, "app_id = ", "app_id = \"wx9999999999999999\"");
    for verb in [&["serve"][..], &["followers", "list"]] {
        fails(&stage, &other, verb, 78, &["main", &stage.keys.app_id, "wx9999999999999999", "new name"]).await;
    }
    let named = other.replace("[official.main]", "[official.second]");
    let file = stage.write("second.toml", &named);
    let outcome =
        process::run(stage.folder(), &["--config", file.to_str().unwrap(), "followers", "list"], &[], "").await;
    outcome.expect_code(0);
}

/// Invented people never stand among real ones.
async fn sandbox_and_real_are_not_mixed(stage: Stage) {
    begun(&stage).await;
    let real = with(&stage, "api_base = ", "");
    for verb in [&["serve"][..], &["followers", "list"], &["token", "refresh"]] {
        fails(&stage, &real, verb, 78, &["marked sandbox", "real", "DATABASE_URL"]).await;
    }
    assert_eq!(stage.number("SELECT COUNT(*) FROM access_token WHERE generation > 1").await, 0, "nothing was called");
}

async fn a_port_that_is_taken(stage: Stage) {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for line in ["listen = ", "metrics_listen = "] {
        let text = with(&stage, line, &format!("{line}\"{address}\""));
        fails(&stage, &text, &["serve"], 78, &[&address, "in use", "WXOPS_LISTEN"]).await;
    }
    let both = with(&stage, "listen = ", &format!("listen = \"{address}\""));
    let both = both.replace("metrics_listen = \"127.0.0.1:0\"", &format!("metrics_listen = \"{address}\""));
    fails(&stage, &both, &["serve"], 78, &["metrics"]).await;
}

/// The clock is moved by a variable that no page names and no file can set.
#[tokio::test]
async fn the_clock_file_is_for_tests_only() {
    on_sqlite("configuration::the_clock_file_is_for_tests_only", async |mut stage| {
        let text = format!("clock_file = \"x\"\n{}", fs::read_to_string(stage.config()).unwrap());
        fails(&stage, &text, &["serve"], 78, &["clock_file", "unknown key", "line 1"]).await;
        for verb in [&["--help"][..], &["serve", "--help"], &["init", "--help"]] {
            let help = stage.verb(verb).await.expect_code(0);
            assert!(!help.stdout.to_lowercase().contains("clock_file"), "{}", help.stdout);
        }
        stage.mode = Mode::Plain;
        let clock = stage.write("clock", "3600\n");
        stage.env.push(("WXOPS_CLOCK_FILE".into(), clock.to_str().unwrap().into()));
        let serve = stage.serve().await;
        let skewed = "wxops_callback_skewed_total";
        assert_eq!(serve.push(&subscribe(OPENID)).await.status, 200);
        assert_eq!(serve.metric(skewed, &[]).await, 1.0, "an hour ahead by the file");
        stage.write("clock", "0\n");
        assert_eq!(serve.push(&subscribe("oTESTother0000000000000001_")).await.status, 200);
        assert_eq!(serve.metric(skewed, &[]).await, 1.0, "and back, without a restart");
        assert_eq!(http::get(serve.address(), "/healthz").await.unwrap().status, 200);
    })
    .await;
}

/// What is meant for one account is refused at the other's path, in each mode: also where an operator gave both
/// consoles the same Token and key, and where only one of them has its original id in the file.
async fn crossed_events_are_refused(mut stage: Stage) {
    let shared = stage.keys.clone();
    let other = Keys {
        app_id: "wxfedcba9876543210".into(),
        original_id: "gh_ba9876543210".into(),
        token: "anotherToken1".into(),
        aes_key: "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG".into(),
        ..shared.clone()
    };
    let same_keys = Keys { app_id: other.app_id.clone(), original_id: other.original_id.clone(), ..shared.clone() };
    let same_token = Keys { token: shared.token.clone(), ..other.clone() };
    let mut serve = None;
    let mut id = 0;
    for (mode, club, bare, reason) in [
        (Mode::Plain, &other, false, "signature"),
        (Mode::Plain, &same_keys, false, "foreign_account"),
        (Mode::Plain, &same_keys, true, "foreign_account"),
        (Mode::Compat, &other, false, "signature"),
        (Mode::Compat, &same_keys, false, "appid"),
        (Mode::Compat, &same_token, false, "decrypt"),
        (Mode::Secure, &other, false, "signature"),
        (Mode::Secure, &same_keys, false, "appid"),
        (Mode::Secure, &same_keys, true, "appid"),
        (Mode::Secure, &same_token, false, "decrypt"),
    ] {
        stage.mode = mode;
        let word = mode.word();
        let aes_key = if mode == Mode::Plain { String::new() } else { format!("aes_key = \"{}\"\n", club.aes_key) };
        let original_id = if bare { String::new() } else { format!("original_id = \"{}\"\n", club.original_id) };
        stage.account_settings = format!(
            "default = true\n[official.club]\napp_id = \"{}\"\ntoken = \"{}\"\nmode = \"{word}\"\n{aes_key}{original_id}\
             api_base = \"http://{}\"\n",
            club.app_id,
            club.token,
            stage.sandbox()
        );
        let serve = reload::take_up(&stage, &mut serve).await;
        let (refused, stored) = (serve.refused(reason).await, stage.stored().await);
        id += 1;
        let mine = signer::push(&stage.keys, mode, &text(OPENID, "for main", id));
        let answer = http::once(serve.address(), &posted(&mine, "/wechat/club/event")).await.unwrap();
        assert_eq!((answer.status, answer.body.len()), (403, 0), "{word} {reason}: {}", serve.log());
        assert_eq!(serve.refused(reason).await, refused + 1.0, "{word} {reason}: {}", serve.log());
        assert_eq!(stage.stored().await, stored, "{word} {reason}");
        assert_eq!(serve.send(&mine).await.status, 200, "{word}: its own path takes it");
        let xml = text(OPENID, "for club", id).replace(&shared.original_id, &club.original_id);
        let theirs = signer::push(club, mode, &xml);
        let answer = http::once(serve.address(), &posted(&theirs, "/wechat/club/event")).await.unwrap();
        assert_eq!(answer.status, 200, "{word}: {}", serve.log());
        let answer = serve.send(&theirs).await;
        assert_eq!((answer.status, answer.body.len()), (403, 0), "{word} {reason}, the other way");
    }
    let crossed = "SELECT COUNT(*) FROM inbox_event WHERE (account = 'main') <> (raw LIKE '%for main%')";
    assert_eq!(stage.number(crossed).await, 0);
}

fn posted(push: &Push, path: &str) -> Vec<u8> {
    http::request("POST", &push.target(path), &[], &push.body)
}
