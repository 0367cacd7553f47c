//! Which source wins, and what the values become.

use super::*;
use crate::domain::account::Mode;

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
            0 => (Some("by-file"), pointed(&scene, "pointed", Origin::Env("WXOPS_API_TOKEN_FILE".into()))),
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

fn pointed(scene: &Scene, name: &str, named: Origin) -> Origin {
    Origin::SecretFile { path: scene.path(name), named: Box::new(named) }
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
    let plain = scene().env(&[("WECHAT_APP_ID", "wx1"), ("WECHAT_TOKEN", "ttt")]).load();
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
token = "ttt"
mode = "plain"
proxy = "http://user:pw@10.0.0.1:3128"
"#;
    let scene = scene().file("wxops.toml", toml).file("shop.secret", "hush\n").env(&[("WECHAT_TOKEN", "fromEnv")]);
    let config = scene.load();
    let shop = config.official(None).unwrap();
    assert_eq!((shop.name.as_str(), shop.secret.as_ref().unwrap().reveal()), ("shop", "hush"));
    assert_eq!(shop.tokens[0].reveal(), "fromEnv");
    let club = config.official(Some("club")).unwrap();
    assert_eq!((club.tokens[0].reveal(), club.proxy.is_some()), ("ttt", true));
    let error = config.secret_of(club).unwrap_err();
    assert!(error.what.en.contains("club") && error.what.en.contains("AppSecret"), "{error}");
    assert_eq!(error.next.unwrap().en, "set app_secret in [official.club]");
    let unknown = config.official(Some("chub")).unwrap_err();
    assert_eq!(unknown.what.en, "there is no account \"chub\"; there is club, shop");
    let line = Origin::File { path: scene.path("wxops.toml"), line: 4 };
    assert_eq!(config.origins.of("official.shop.app_secret"), &pointed(&scene, "shop.secret", line));
}

#[test]
fn the_chosen_account_is_the_one_of_the_flag() {
    let toml = "[official.a]\napp_id='1'\ntoken='ttt'\n[official.b]\napp_id='2'\ntoken='ttt'\n";
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
    for port in ["0", "65536", "a"] {
        let wrong = scene().env(&[&parts[..], &[("DB_PORT", port)]].concat());
        assert_eq!(wrong.refused().0, "DB_PORT (environment variable DB_PORT): not a port, 1 to 65535");
    }
    let both = scene().env(&parts).file(".env", "DATABASE_URL=sqlite://a.db\n");
    assert!(both.load().database_url.reveal().starts_with("mysql:"), "the environment beats .env");
    let whole = scene().env(&[&parts[..], &[("DATABASE_URL", "sqlite://b.db")]].concat());
    assert_eq!(whole.load().database_url.reveal(), "sqlite://b.db");
}

#[test]
fn dotenv_is_read_as_people_write_it() {
    let text = "\u{feff}export WECHAT_APP_SECRET='a#b$c'\r\nWXOPS_LOG = \"debug\"  # why\r\nELASTICSEARCH_URL=http://x\nTZ=Asia/Shanghai\n";
    let config = scene().file(".env", text).env(&[("WECHAT_APP_ID", "wx1")]).load();
    let secret = config.officials[0].secret.as_ref().unwrap();
    assert_eq!((secret.reveal(), config.log.as_str()), ("a#b$c", "debug"));
    assert_eq!(config.origins.iter().filter(|(_, origin)| matches!(origin, Origin::DotEnv { .. })).count(), 2);
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

/// People write a variable's name in lower case, too.
#[test]
fn a_key_may_carry_its_variables_prefix() {
    let toml = "wxops_listen = \"127.0.0.1:1\"\n[official.main]\nwechat_app_id = \"wx1\"\nwechat_app_secret = \"s\"\nwechat_token = \"ttt\"\n";
    let config = scene().file("wxops.toml", toml).load();
    assert_eq!(config.listen.port(), 1);
    assert_eq!(config.official(None).unwrap().app_id, "wx1");
}

#[test]
fn a_robot_is_taken_apart() {
    for (text, base) in [
        ("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=hush", "https://qyapi.weixin.qq.com"),
        ("http://127.0.0.1:9090/cgi-bin/webhook/send?key=hush", "http://127.0.0.1:9090"),
        ("http://localhost/relay/cgi-bin/webhook/send?debug=1&key=hush", "http://localhost/relay"),
        ("https://[::1]:1/cgi-bin/webhook/send?key=h%75sh", "https://[::1]:1"),
    ] {
        let config = scene().file("wxops.toml", &format!("alert_webhook = \"{text}\"\n")).load();
        let robot = config.alert_webhook.clone().unwrap();
        assert_eq!((robot.base.as_str(), robot.key.reveal()), (base, "hush"));
        assert!(!format!("{config:?}").contains("hush"));
    }
    assert!(scene().load().alert_webhook.is_none());
}
