#![allow(clippy::unwrap_used)]

use super::*;
use crate::domain::account::Mode;
use crate::error::Kind;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

const KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";

/// A folder of its own with the files that the loader may find.
struct Scene {
    dir: tempfile::TempDir,
    sources: Sources,
}

fn scene() -> Scene {
    let dir = tempfile::tempdir().unwrap();
    let sources = Sources {
        flags: Default::default(),
        env: Environment::default(),
        config: None,
        dir: dir.path().to_owned(),
        etc: dir.path().join("etc/wxops.toml"),
        uid: fs::metadata(dir.path()).unwrap().uid(),
        container: false,
    };
    Scene { dir, sources }
}

impl Scene {
    fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    fn file(self, name: &str, text: &str) -> Self {
        self.file_mode(name, text, 0o600)
    }

    fn file_mode(self, name: &str, text: &str, mode: u32) -> Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        self
    }

    fn env(mut self, pairs: &[(&str, &str)]) -> Self {
        let dir = self.dir.path().display().to_string();
        self.sources.env = pairs.iter().map(|(name, text)| (*name, text.replace("DIR", &dir))).collect();
        self
    }

    fn flag(mut self, name: &'static str, text: &str) -> Self {
        self.sources.flags.insert(name, text.to_owned());
        self
    }

    fn load(&self) -> Config {
        Config::load(&self.sources).unwrap()
    }

    /// Loads, expects exit 78, and gives the message with the folder's path as `DIR`.
    fn refused(&self) -> (String, String) {
        let error = Config::load(&self.sources).unwrap_err();
        assert_eq!(error.kind, Kind::Config);
        assert!(error.what.zh.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)), "{}", error.what.zh);
        let dir = self.dir.path().display().to_string();
        let next = error.next.map(|next| next.en).unwrap_or_default();
        (error.what.en.replace(&dir, "DIR"), next.replace(&dir, "DIR"))
    }
}

#[test]
fn nothing_configured_gives_the_defaults() {
    let config = scene().load();
    assert_eq!(config.database_url.reveal(), "sqlite://wxops.db");
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.metrics_listen.to_string(), "127.0.0.1:9464");
    assert_eq!((config.log.as_str(), config.unsubscribe_policy), ("info", UnsubscribePolicy::Erase));
    assert!(config.officials.is_empty() && config.replay_window.is_none() && config.file.is_none());
    let error = config.official(None).unwrap_err();
    assert_eq!(error.kind, Kind::Config);
    assert!(error.next.unwrap().en.contains("WECHAT_APP_ID"));
}

/// Every combination of the four sources: the first of flag, environment, `.env`, file, default wins.
#[test]
fn the_stronger_source_wins() {
    for set in 0..16_u8 {
        let mut scene = scene();
        if set & 1 != 0 {
            scene = scene.flag("WXOPS_LISTEN", "127.0.0.1:1001");
        }
        if set & 2 != 0 {
            scene = scene.env(&[("WXOPS_LISTEN", "127.0.0.1:1002")]);
        }
        if set & 4 != 0 {
            scene = scene.file(".env", "# a comment\nWXOPS_LISTEN=127.0.0.1:1003\n");
        }
        if set & 8 != 0 {
            scene = scene.file("wxops.toml", "\n\nlisten = \"127.0.0.1:1004\"\n");
        }
        let (port, origin) = match set.trailing_zeros() {
            0 => (1001, Origin::Flag),
            1 => (1002, Origin::Env("WXOPS_LISTEN".into())),
            2 => (1003, Origin::DotEnv { path: scene.path(".env"), line: 2 }),
            3 => (1004, Origin::File { path: scene.path("wxops.toml"), line: 3 }),
            _ => (8080, Origin::Default),
        };
        let config = scene.load();
        assert_eq!((config.listen.port(), config.origins.of("WXOPS_LISTEN")), (port, &origin), "sources {set:04b}");
    }
}

/// Secrets: NAME_FILE, then the credential, then the variable, then `.env`, then the file.
#[test]
fn secrets_come_from_the_first_of_five_places() {
    for set in 0..32_u8 {
        let mut scene = scene().file("pointed", "by-file\n").file("plain", "");
        let mut env = vec![];
        if set & 1 != 0 {
            env.push(("WXOPS_API_TOKEN_FILE", "DIR/pointed"));
        }
        if set & 2 != 0 {
            env.push(("CREDENTIALS_DIRECTORY", "DIR/credentials"));
            scene = scene.file_mode("credentials/WXOPS_API_TOKEN", "by-credential", 0o444);
        }
        if set & 4 != 0 {
            env.push(("WXOPS_API_TOKEN", "by-variable"));
        }
        if set & 8 != 0 {
            scene = scene.file(".env", "WXOPS_API_TOKEN=by-dotenv\n");
        }
        if set & 16 != 0 {
            scene = scene.file("wxops.toml", "api_token = \"by-toml\"\n");
        }
        let scene = scene.env(&env);
        let config = scene.load();
        let (text, origin) = match set.trailing_zeros() {
            0 => (Some("by-file"), Origin::SecretFile(scene.path("pointed"))),
            1 => (Some("by-credential"), Origin::Credential(scene.path("credentials/WXOPS_API_TOKEN"))),
            2 => (Some("by-variable"), Origin::Env("WXOPS_API_TOKEN".into())),
            3 => (Some("by-dotenv"), Origin::DotEnv { path: scene.path(".env"), line: 1 }),
            4 => (Some("by-toml"), Origin::File { path: scene.path("wxops.toml"), line: 1 }),
            _ => (None, Origin::Default),
        };
        assert_eq!(config.api_token.as_ref().map(Secret::reveal), text, "sources {set:05b}");
        assert_eq!(config.origins.of("WXOPS_API_TOKEN"), &origin);
        assert!(!format!("{config:?}").contains("by-"), "a secret in Debug");
    }
}

#[test]
fn an_empty_variable_is_unset() {
    let scene = scene().env(&[("WXOPS_LISTEN", ""), ("WXOPS_CONFIG", ""), ("XDG_CONFIG_HOME", "")]);
    let scene = scene.file(".env", "WXOPS_LISTEN=\nWXOPS_LOG=debug\n").file("wxops.toml", "listen = \"\"\n");
    let config = scene.load();
    assert_eq!((config.listen.port(), config.log.as_str()), (8080, "debug"));
}

#[test]
fn the_right_file_is_read() {
    let toml = |log: &str| format!("log = \"{log}\"\n");
    let all = || {
        scene()
            .file("wxops.toml", &toml("error"))
            .file("home/.config/wxops/wxops.toml", &toml("warn"))
            .file("xdg/wxops/wxops.toml", &toml("debug"))
            .file("given.toml", &toml("trace"))
            .file(".env", "WXOPS_LANG=zh\n")
    };
    let both = [("HOME", "DIR/home"), ("XDG_CONFIG_HOME", "DIR/xdg")];
    let read = |scene: &Scene| {
        let config = scene.load();
        (config.log, config.lang.is_some())
    };
    assert_eq!(read(&all().env(&both)), ("error".into(), true));
    let no_here = |scene: Scene| {
        fs::remove_file(scene.path("wxops.toml")).unwrap();
        scene
    };
    assert_eq!(read(&no_here(all().env(&both))), ("debug".into(), true));
    assert_eq!(read(&no_here(all().env(&both[..1]))), ("warn".into(), true));
    let etc = || all().file("etc/wxops.toml", "log = \"off\"\n");
    assert_eq!(read(&etc()), ("off".into(), false), "nothing of the folder counts beside /etc");
    assert_eq!(read(&etc().env(&both)), ("debug".into(), false));
    assert_eq!(read(&all().env(&[("WXOPS_CONFIG", "given.toml")])), ("trace".into(), false));
    let mut flagged = all().env(&[("WXOPS_CONFIG", "DIR/xdg/wxops/wxops.toml")]);
    flagged.sources.config = Some(flagged.path("given.toml"));
    assert_eq!(read(&flagged), ("trace".into(), false));
}

#[test]
fn variables_describe_main() {
    let env = [
        ("WECHAT_APP_ID", "wx1"),
        ("WECHAT_APP_SECRET", "s"),
        ("WECHAT_TOKEN", "new"),
        ("WECHAT_TOKEN_PREVIOUS", "old"),
        ("WECHAT_AES_KEY", KEY),
        ("WECHAT_AES_KEY_PREVIOUS", KEY),
        ("WECHAT_ORIGINAL_ID", "gh_1"),
        ("WECHAT_API_BASE", "http://127.0.0.1:9090/"),
        ("WXOPS_REPLAY_WINDOW", "5m"),
        ("WXOPS_PUBLIC_URL", "https://example.com/"),
    ];
    let config = scene().env(&env).load();
    let official = config.official(None).unwrap();
    assert_eq!((official.name.as_str(), official.app_id.as_str(), official.mode), ("main", "wx1", Mode::Secure));
    assert_eq!(official.tokens.iter().map(Secret::reveal).collect::<Vec<_>>(), ["new", "old"]);
    assert_eq!((official.aes_keys.len(), official.api_base.as_str()), (2, "http://127.0.0.1:9090"));
    assert_eq!(config.replay_window, Some(Duration::from_secs(300)));
    assert_eq!(config.public_url.as_deref(), Some("https://example.com"));
    assert_eq!(config.origins.of("official.main.app_id"), &Origin::Env("WECHAT_APP_ID".into()));
    assert_eq!(config.official(Some("mian")).unwrap_err().kind, Kind::Usage);
    let plain = scene().env(&[("WECHAT_APP_ID", "wx1"), ("WECHAT_TOKEN", "t")]).load();
    assert_eq!(plain.officials[0].mode, Mode::Plain);
    assert_eq!(plain.officials[0].api_base, "https://api.weixin.qq.com");
}

#[test]
fn tables_describe_many_and_variables_the_default_one() {
    let toml = r#"
[official.shop]
app_id = "wx1"
app_secret_file = "shop.secret"
default = true

[official.club]
app_id = "wx2"
token = "t"
mode = "plain"
proxy = "http://user:pw@10.0.0.1:3128"
"#;
    let scene = scene().file("wxops.toml", toml).file("shop.secret", "hush\n").env(&[("WECHAT_TOKEN", "from-env")]);
    let config = scene.load();
    let shop = config.official(None).unwrap();
    assert_eq!((shop.name.as_str(), shop.secret.as_ref().unwrap().reveal()), ("shop", "hush"));
    assert_eq!(shop.tokens[0].reveal(), "from-env");
    let club = config.official(Some("club")).unwrap();
    assert_eq!((club.tokens[0].reveal(), club.proxy.is_some()), ("t", true));
    let error = config.secret_of(club).unwrap_err();
    assert!(error.what.en.contains("club") && error.what.en.contains("AppSecret"), "{error}");
    assert_eq!(error.next.unwrap().en, "set secret in [official.club]");
    let unknown = config.official(Some("chub")).unwrap_err();
    assert_eq!(unknown.what.en, "there is no account \"chub\"; there is club, shop");
    assert_eq!(config.origins.of("official.shop.secret"), &Origin::SecretFile(scene.path("shop.secret")));
}

#[test]
fn the_chosen_account_is_the_one_of_the_flag() {
    let toml = "[official.a]\napp_id='1'\ntoken='t'\n[official.b]\napp_id='2'\ntoken='t'\n";
    let scene = scene().file("wxops.toml", toml);
    assert_eq!(scene.load().official(None).unwrap_err().kind, Kind::Config);
    let chosen = scene.env(&[("WXOPS_ACCOUNT", "a")]);
    assert_eq!(chosen.load().official(None).unwrap().name, "a");
    let chosen = chosen.flag("WXOPS_ACCOUNT", "b");
    assert_eq!(chosen.load().official(None).unwrap().name, "b");
    let wrong = chosen.flag("WXOPS_ACCOUNT", "c");
    assert_eq!(wrong.load().official(None).unwrap_err().kind, Kind::Usage);
}

#[test]
fn db_parts_make_a_url() {
    let parts = [("DB_HOST", "db"), ("DB_USER", "u@x"), ("DB_PASSWORD", "p/w%#"), ("DB_NAME", "crm")];
    let config = scene().env(&parts).load();
    assert_eq!(config.database_url.reveal(), "mysql://u%40x:p%2Fw%25%23@db:3306/crm");
    for host in ["db/x", "u@db", "d b"] {
        let wrong = scene().env(&[&[("DB_HOST", host)], &parts[1..]].concat());
        assert_eq!(wrong.refused().0, "DB_HOST (environment variable DB_HOST): not a host");
    }
    let both = scene().env(&parts).file(".env", "DATABASE_URL=sqlite://a.db\n");
    assert!(both.load().database_url.reveal().starts_with("mysql:"), "the environment beats .env");
    let whole = scene().env(&[&parts[..], &[("DATABASE_URL", "sqlite://b.db")]].concat());
    assert_eq!(whole.load().database_url.reveal(), "sqlite://b.db");
}

#[test]
fn dotenv_is_read_as_people_write_it() {
    let text = "\u{feff}export WECHAT_TOKEN='a#b$c'\r\nWXOPS_LOG = \"debug\"  # why\r\nREDIS_URL=redis://x\nTZ=Asia/Shanghai\n";
    let config = scene().file(".env", text).env(&[("WECHAT_APP_ID", "wx1")]).load();
    assert_eq!((config.officials[0].tokens[0].reveal(), config.log.as_str()), ("a#b$c", "debug"));
    assert_eq!(config.origins.iter().filter(|(_, origin)| matches!(origin, Origin::DotEnv { .. })).count(), 2);
}

/// Each wrong variable, with the whole message.
#[test]
fn a_wrong_variable_is_named() {
    let long = "x".repeat(65);
    let cases: &[(&str, &str, &str)] = &[
        ("WECHAT_AES_KEY", &KEY[1..], "an EncodingAESKey has 43 letters, this one has 42"),
        ("WECHAT_MODE", "safe", "must be plain, compat or secure"),
        ("WECHAT_MODE", "secure", "this mode needs the EncodingAESKey, and it is missing"),
        ("WECHAT_MODE", "compat", "this mode needs the EncodingAESKey, and it is missing"),
        ("WECHAT_TOKEN_PREVIOUS", "old", "WECHAT_TOKEN is missing beside it"),
        ("WECHAT_AES_KEY_PREVIOUS", KEY, "WECHAT_AES_KEY is missing beside it"),
        ("WECHAT_TOKEN", "a b", "has a blank in it"),
        ("WECHAT_APP_ID", "wx1", "both WECHAT_TOKEN and WECHAT_APP_SECRET are missing"),
        ("WECHAT_APP_ID", &long, "may hold only letters, digits, _ and -"),
        (
            "WECHAT_API_BASE",
            "http://10.0.0.1:9090",
            "http is allowed to this machine only (127.0.0.1, ::1, localhost): the AppSecret travels over it",
        ),
        (
            "WECHAT_API_BASE",
            "http://127.0.0.1.evil.example",
            "http is allowed to this machine only (127.0.0.1, ::1, localhost): the AppSecret travels over it",
        ),
        ("WECHAT_API_BASE", "https://u:p@api.example", "a base URL has no user, password, ? or #"),
        ("WXOPS_PUBLIC_URL", "example.com", "not a URL that begins with https:// or http://"),
        ("WXOPS_PUBLIC_URL", "ftp://example.com", "not a URL that begins with https:// or http://"),
        ("WXOPS_LISTEN", "8080", "not an address and port, such as 127.0.0.1:8080 or [::1]:8080"),
        ("WXOPS_METRICS_LISTEN", "localhost", "not an address and port, such as 127.0.0.1:8080 or [::1]:8080"),
        ("WXOPS_METRICS_LISTEN", "127.0.0.1:8080", "metrics never share the public listener"),
        ("WXOPS_REPLAY_WINDOW", "5", "not a length of time; write a number and ms, s, m, h or d, such as 5m"),
        ("WXOPS_UNSUBSCRIBE_POLICY", "drop", "must be erase or keep"),
        ("WXOPS_LOG", "wxops=loud", "not a log filter, such as info or info,wxops=debug"),
        ("WXOPS_LANG", "fr", "must be zh or en"),
        ("WXOPS_API_TOKEN", "a\nb", "has a line break or another control character in it"),
        ("DATABASE_URL", "postgres://h/d", "must be sqlite://FILE or mysql://USER:PASSWORD@HOST:PORT/NAME"),
        ("DATABASE_URL", "mysql://u:hush@h", "must be sqlite://FILE or mysql://USER:PASSWORD@HOST:PORT/NAME"),
        ("DATABASE_URL", "sqlite://", "names no file; write sqlite://wxops.db"),
        ("DB_HOST", "db", "DB_USER is missing beside it"),
    ];
    for (name, text, why) in cases {
        let (en, _) = scene().env(&[(*name, text)]).refused();
        assert_eq!(en, format!("{name} (environment variable {name}): {why}"), "{name}={text}");
        let (en, _) = scene().file(".env", &format!("\n{name}='{text}'\n")).refused();
        assert!(*text == "a\nb" || en == format!("{name} (line 2 of DIR/.env): {why}"), "{name}={text}: {en}");
    }
    let no_token = [("WECHAT_APP_ID", "wx1"), ("WECHAT_AES_KEY", KEY), ("WECHAT_APP_SECRET", "s")];
    let (en, _) = scene().env(&no_token).refused();
    assert_eq!(
        en,
        "WECHAT_APP_ID (environment variable WECHAT_APP_ID): WECHAT_TOKEN is missing: callbacks can't be verified"
    );
}

/// Each wrong file, with the whole message and the mend.
#[test]
fn a_wrong_file_is_named_with_its_line() {
    let cases: &[(&str, &str, &str)] = &[
        ("listne = \"x\"\n", "listne (line 1 of DIR/wxops.toml): unknown key", "did you mean listen?"),
        ("\n[oficial.main]\n", "oficial (line 2 of DIR/wxops.toml): unknown key", "did you mean official?"),
        (
            "[official.main]\napp_id='1'\ntokn='t'\n",
            "official.main.tokn (line 3 of DIR/wxops.toml): unknown key",
            "did you mean token?",
        ),
        (
            "[official.Main]\n",
            "official.Main (line 1 of DIR/wxops.toml): an account's name is 1 to 32 of a-z 0-9 _ -, and not \"all\"",
            "",
        ),
        (
            "[official.all]\n",
            "official.all (line 1 of DIR/wxops.toml): an account's name is 1 to 32 of a-z 0-9 _ -, and not \"all\"",
            "",
        ),
        (
            "log = \"info\"\n[official.main]\ntoken='t'\n",
            "official.main (line 2 of DIR/wxops.toml): app_id is missing",
            "",
        ),
        (
            "[official.main]\napp_id = 7\n",
            "official.main.app_id (line 2 of DIR/wxops.toml): must be text in quotes",
            "",
        ),
        (
            "[official.main]\ndefault = 'yes'\n",
            "official.main.default (line 2 of DIR/wxops.toml): must be true or false",
            "",
        ),
        ("official = 3\n", "official (line 1 of DIR/wxops.toml): must be a table, such as [official.main]", ""),
        (
            "[official.main]\napp_id='1'\ntoken='t'\naes_key='short'\n",
            "official.main.aes_key (line 4 of DIR/wxops.toml): an EncodingAESKey has 43 letters, this one has 5",
            "",
        ),
        (
            "[official.a]\napp_id='1'\ntoken='t'\n[official.b]\napp_id='1'\ntoken='t'\n",
            "official.b (line 4 of DIR/wxops.toml): has the same app_id as official.a",
            "",
        ),
        (
            "[official.a]\napp_id='1'\ntoken='t'\ndefault=true\n[official.b]\napp_id='2'\ntoken='t'\ndefault=true\n",
            "official.b (line 5 of DIR/wxops.toml): a second account is marked default",
            "",
        ),
        (
            "[official.a]\napp_id='1'\nmode='secure'\ntoken='t'\n",
            "official.a.mode (line 3 of DIR/wxops.toml): this mode needs the EncodingAESKey, and it is missing",
            "set WECHAT_AES_KEY to the 43 letters of the console",
        ),
        (
            "[official.a]\napp_id='1'\ntoken='t'\nproxy='10.0.0.1:3128'\n",
            "official.a.proxy (line 4 of DIR/wxops.toml): not a URL that begins with https:// or http://",
            "",
        ),
        (
            "api_token_file = 'gone'\n",
            "api_token_file: cannot read DIR/gone: No such file or directory (os error 2)",
            "",
        ),
    ];
    for (text, what, next) in cases {
        let refused = scene().file("wxops.toml", text).refused();
        assert_eq!(refused, ((*what).to_owned(), (*next).to_owned()), "{text}");
    }
    let two = "[official.a]\napp_id='1'\ntoken='t'\n[official.b]\napp_id='2'\ntoken='t'\n";
    let (en, next) = scene().file("wxops.toml", two).env(&[("WECHAT_APP_SECRET", "s")]).refused();
    assert_eq!(
        en,
        "WECHAT_APP_SECRET (environment variable WECHAT_APP_SECRET): it does not say which account it is for: a, b"
    );
    assert_eq!(next, "mark one account with default = true");
}

#[test]
fn a_broken_file_keeps_its_secrets() {
    let (en, _) = scene().file("wxops.toml", "log = \"info\"\napi_token = \"hush hush\n").refused();
    assert!(en.starts_with("line 2 of DIR/wxops.toml is not TOML: ") && !en.contains("hush"), "{en}");
    let (en, next) = scene().file(".env", "A=1\nWXOPS_API_TOKEN=hush hush\n").refused();
    assert_eq!(en, "line 2 of DIR/.env: not of the form NAME=value");
    assert!(next.contains("single quotes"));
    let (en, _) = scene().file_mode("wxops.toml", "", 0o600).env(&[("WXOPS_CONFIG", "DIR/other.toml")]).refused();
    assert_eq!(en, "cannot read DIR/other.toml: No such file or directory (os error 2)");
    let (en, next) = scene().file(".env", "\nWECHAT_APPID=wx1\n").refused();
    assert_eq!(
        (en.as_str(), next.as_str()),
        ("WECHAT_APPID (line 2 of DIR/.env): unknown key", "did you mean WECHAT_APP_ID?")
    );
    let (en, _) = scene().file(".env", "WXOPS_LOG=info\n\nWXOPS_LOG=debug\n").refused();
    assert_eq!(en, "WXOPS_LOG (lines 1, 3 of DIR/.env): given twice");
    let (en, _) = scene().file("empty", "\n").env(&[("WECHAT_TOKEN_FILE", "DIR/empty")]).refused();
    assert_eq!(en, "WECHAT_TOKEN_FILE (file DIR/empty): the file is empty");
}

/// Every mode of nine bits: 0600, 0640, 0400, 0440 and what is stricter pass, everything else is refused.
#[test]
fn only_private_files_are_read() {
    let readable = |mode: u32| mode & 0o137 == 0;
    for mode in 0..0o1000_u32 {
        if mode & 0o400 == 0 {
            continue;
        }
        let scene = scene().file_mode(".env", "WXOPS_LOG=debug\n", mode);
        if readable(mode) {
            assert_eq!(scene.load().log, "debug", "{mode:04o}");
            continue;
        }
        let (en, next) = scene.refused();
        assert_eq!(en, format!("DIR/.env has mode {mode:04o}: it may hold secrets, so nobody else may have access"));
        assert_eq!(next, "chmod 600 DIR/.env");
    }
    for name in ["wxops.toml", "etc/wxops.toml"] {
        let (en, _) = scene().file_mode(name, "", 0o644).refused();
        assert!(en.starts_with(&format!("DIR/{name} has mode 0644")), "{en}");
    }
    let pointed = scene().file_mode("token", "x", 0o604).env(&[("WECHAT_TOKEN_FILE", "DIR/token")]);
    assert!(pointed.refused().0.starts_with("WECHAT_TOKEN_FILE: DIR/token has mode 0604"));
}

#[test]
fn a_strangers_file_is_refused() {
    let mut scene = scene().file(".env", "");
    let owner = scene.sources.uid;
    if owner == 0 {
        std::os::unix::fs::chown(scene.path(".env"), Some(12345), None).unwrap();
        let (en, next) = scene.refused();
        assert_eq!(en, "DIR/.env belongs to user 12345, not to user 0 or root");
        assert_eq!(next, "chown 0 DIR/.env");
    } else {
        scene.sources.uid = owner + 1;
        assert!(scene.refused().0.contains(&format!("belongs to user {owner}")));
    }
}

#[test]
fn a_half_account_says_what_is_missing() {
    let config = scene().env(&[("WECHAT_TOKEN", "t")]).load();
    assert!(config.officials.is_empty());
    let error = config.official(None).unwrap_err();
    assert_eq!(error.what.en, "WECHAT_TOKEN (environment variable WECHAT_TOKEN): set, but WECHAT_APP_ID is not");
}

#[test]
fn lengths_of_time() {
    for (text, ms) in [("300ms", 300), ("50s", 50_000), ("5m", 300_000), ("2h", 7_200_000), ("3d", 259_200_000)] {
        assert_eq!(duration(text).unwrap(), Duration::from_millis(ms));
    }
    for text in ["", "5", "m", "-5m", "5 m", "5w", "99999999999999999999s", "18446744073709551615d", "٥m"] {
        assert!(duration(text).is_err(), "{text}");
    }
}
