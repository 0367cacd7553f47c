//! Every setting of the table at every place where it can stand: alone, against each other place, and against all
//! that are weaker. The strongest wins.

use super::*;
use crate::config::keys::{self, Setting as Key};
use std::collections::BTreeMap;

/// A place where a value can stand, strongest first; the place of the value alone tells which one won.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Flag,
    EnvFile,
    Credential,
    Env,
    DotEnvFile,
    DotEnv,
    TomlFile,
    Toml,
}
use Place::*;

const PLACES: [Place; 8] = [Flag, EnvFile, Credential, Env, DotEnvFile, DotEnv, TomlFile, Toml];
/// The flags there are: `--listen`, `--metrics-listen`, `--account` and `--lang`.
const FLAGS: [&str; 4] = ["WXOPS_LISTEN", "WXOPS_METRICS_LISTEN", "WXOPS_ACCOUNT", "WXOPS_LANG"];

/// A good value of the setting, another one at each place where the setting allows as many.
fn value(key: &Key, place: Place) -> String {
    let at = PLACES.iter().position(|known| *known == place).unwrap();
    match key.env.or(key.toml).unwrap() {
        "DATABASE_URL" | "WXOPS_QUEUE_DATABASE_URL" => format!("mysql://u@h{at}/d"),
        "REDIS_URL" => format!("redis://h{at}:6379"),
        "WXOPS_LOCATION_KEEP" => format!("{}d", at + 1),
        "DB_PORT" => format!("330{at}"),
        "WXOPS_LISTEN" | "WXOPS_METRICS_LISTEN" => format!("127.0.0.1:100{at}"),
        "WXOPS_PUBLIC_URL" | "WECHAT_API_BASE" | "WECOM_API_BASE" | "proxy" => format!("https://h{at}.example"),
        "WXOPS_ALERT_WEBHOOK" => format!("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=h{at}"),
        "WECOM_AGENT_ID" => format!("100000{at}"),
        "WECOM_TO_USER" => format!("zhang|user{at}"),
        "WXOPS_REPLAY_WINDOW" => format!("{at}m"),
        "WXOPS_UNSUBSCRIBE_POLICY" => ["erase", "keep"][at % 2].into(),
        "WXOPS_SPOOL_MAX" => format!("{}MiB", at + 1),
        "WXOPS_SPOOL_TMPFS" => ["true", "false"][at % 2].into(),
        "WXOPS_LOG" => ["info", "warn", "debug", "error", "trace", "off", "wxops=info", "wxops=warn"][at].into(),
        "WXOPS_USER_MAPPING_TIMEZONE" => format!("+0{at}:00"),
        "WXOPS_LANG" => ["en", "zh"][at % 2].into(),
        "WECHAT_AES_KEY" | "WECHAT_AES_KEY_PREVIOUS" | "WECOM_AES_KEY" | "WECOM_AES_KEY_PREVIOUS" => {
            format!("{at}{}", &KEY[1..])
        }
        "WXOPS_TRUSTED_PROXIES" => format!("10.0.0.{at}"),
        "WECHAT_TOKEN_API" => ["stable_token", "token"][at % 2].into(),
        "token_from" => format!("https://h{at}.example/api/token/main"),
        "token_redis_layout" => format!("plain:key{at}"),
        "queue.kinds" => ["new", "new, status"][at % 2].into(),
        "queue.capture" => ["trigger", "poll"][at % 2].into(),
        "queue.message" => ["text", "markdown"][at % 2].into(),
        "queue.via" | "queue.fallback" => ["app", "robot"][at % 2].into(),
        "queue.digest" => format!("{}m", at + 1),
        "queue.in_serve" => ["true", "false"][at % 2].into(),
        "QUEUE_MONITOR_INTERVAL" => format!("{}", at + 1),
        "queue.max_attempts" => format!("{}", at + 1),
        "WECHAT_MODE" => ["plain", "compat", "secure"][at % 3].into(),
        _ => format!("value{at}"),
    }
}

/// The table of the file that a setting stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Root,
    Official,
    WeCom,
}

/// Where the setting can stand.
fn places(key: &Key) -> Vec<Place> {
    let can = |place: &Place| match place {
        Flag => key.env.is_some_and(|name| FLAGS.contains(&name)),
        Env | DotEnv => key.env.is_some(),
        EnvFile | Credential | DotEnvFile => key.env.is_some() && key.secret,
        Toml => key.toml.is_some(),
        TomlFile => key.toml.is_some() && key.secret,
    };
    PLACES.into_iter().filter(can).collect()
}

/// The files and variables of one configuration.
#[derive(Default)]
struct Sheet {
    env: BTreeMap<String, String>,
    dotenv: Vec<String>,
    global: Vec<String>,
    account: Vec<String>,
}

impl Sheet {
    /// What else must be there for the setting to be read, at the weakest place.
    fn around(key: &Key, of: Of) -> Sheet {
        let mut sheet = Sheet::default();
        if key.env == Some("DB_HOST") {
            sheet.dotenv = vec!["DB_USER=u".into(), "DB_NAME=d".into()];
        }
        let keys = [("token", "ttt"), ("aes_key", KEY)];
        let ids: &[(&str, &str)] = match of {
            Of::WeCom => &[("corp_id", "ww1"), ("agent_id", "1000002"), ("secret", "s")],
            _ => &[("app_id", "wx1"), ("app_secret", "s")],
        };
        let others = ids.iter().chain(&keys).filter(|(name, _)| key.toml != Some(name));
        sheet.account = others.map(|(name, text)| format!("{name} = '{text}'")).collect();
        match key.toml {
            Some("token_from") => sheet.account.push("token_from_key = 'k'".into()),
            Some("token_from_key") => sheet.account.push("token_from = 'https://h.example/api/token/main'".into()),
            Some("token_redis_layout") => sheet.global.push("redis_url = 'redis://h:6379'".into()),
            _ => {}
        }
        sheet
    }

    fn put(&mut self, scene: &Scene, key: &Key, place: Place, of: Of) {
        let text = value(key, place);
        let (env, toml) = (key.env.unwrap_or_default(), key.toml.unwrap_or_default());
        let file = |name: &str| {
            fs::create_dir_all(scene.path(name).parent().unwrap()).unwrap();
            fs::write(scene.path(name), format!("{text}\n")).unwrap();
            fs::set_permissions(scene.path(name), fs::Permissions::from_mode(0o600)).unwrap();
            scene.path(name).display().to_string()
        };
        let table = if of == Of::Root { &mut self.global } else { &mut self.account };
        match place {
            Flag => {}
            EnvFile => drop(self.env.insert(format!("{env}_FILE"), file("by-env"))),
            Credential => {
                file(&format!("credentials/{env}"));
                self.env.insert("CREDENTIALS_DIRECTORY".into(), scene.path("credentials").display().to_string());
            }
            Env => drop(self.env.insert(env.into(), text.clone())),
            DotEnvFile => self.dotenv.push(format!("{env}_FILE={}", file("by-dotenv"))),
            DotEnv => self.dotenv.push(format!("{env}='{text}'")),
            TomlFile => table.push(format!("{toml}_file = '{}'", file("by-toml"))),
            Toml => table.push(format!("{toml} = '{text}'")),
        }
    }

    fn onto(&self, mut scene: Scene, of: Of) -> Scene {
        scene.sources.env = self.env.iter().map(|(name, text)| (name.clone(), text.clone())).collect();
        let head = if of == Of::WeCom { "wecom" } else { "official" };
        let toml = format!("{}\n[{head}.main]\n{}\n", self.global.join("\n"), self.account.join("\n"));
        scene.file(".env", &format!("{}\n", self.dotenv.join("\n"))).file("wxops.toml", &toml)
    }
}

/// The origin as the place names it.
fn place_of(scene: &Scene, origin: &Origin) -> Option<Place> {
    let file = |path: &std::path::Path| path.strip_prefix(scene.dir.path()).unwrap().display().to_string();
    Some(match origin {
        Origin::Flag => Flag,
        Origin::Env(_) => Env,
        Origin::DotEnv { .. } => DotEnv,
        Origin::File { .. } => Toml,
        Origin::Credential(_) => Credential,
        Origin::SecretFile { path, named } => match (file(path).as_str(), &**named) {
            ("by-env", Origin::Env(_)) => EnvFile,
            ("by-dotenv", Origin::DotEnv { .. }) => DotEnvFile,
            ("by-toml", Origin::File { .. }) => TomlFile,
            other => panic!("{other:?}"),
        },
        Origin::Default => return None,
    })
}

fn strongest_wins(key: &Key, name: &str, of: Of) -> usize {
    let places = places(key);
    let all = (1_u32 << places.len()) - 1;
    // The weakest place has the highest bit.
    let counts =
        |set: &u32| set.count_ones() <= 2 || (all ^ set).trailing_ones() + set.count_ones() == all.count_ones();
    for set in (0..=all).filter(counts) {
        let mut scene = scene();
        let mut sheet = Sheet::around(key, of);
        let stands: Vec<Place> = (0..places.len()).filter(|at| set & 1 << at != 0).map(|at| places[at]).collect();
        // No account is read without these.
        if of != Of::Root && stands.is_empty() && matches!(key.toml, Some("app_id" | "corp_id" | "token")) {
            continue;
        }
        // WeCom has no clear-text mode, and one that sends has its number.
        if of == Of::WeCom && stands.is_empty() && matches!(key.toml, Some("aes_key" | "agent_id")) {
            continue;
        }
        // Neither is of use alone.
        if stands.is_empty() && matches!(key.toml, Some("token_from" | "token_from_key")) {
            continue;
        }
        for place in &stands {
            match place {
                Flag => scene = scene.flag(key.env.unwrap(), &value(key, Flag)),
                place => sheet.put(&scene, key, *place, of),
            }
        }
        let scene = sheet.onto(scene, of);
        let config = Config::load(&scene.sources).unwrap_or_else(|error| panic!("{name} {stands:?}: {error}"));
        assert_eq!(place_of(&scene, config.origins.of(name)), stands.first().copied(), "{name} at {stands:?}");
        let shown = config.origins.settings().find(|setting| setting.name == name).unwrap();
        let wanted = stands.first().map(|place| value(key, *place));
        let wanted = wanted.or_else(|| key.default().map(str::to_owned)).map(|text| match key.shown() {
            super::super::origins::Shown::Masked => "***".to_owned(),
            _ => text,
        });
        if name != "official.main.mode" || !stands.is_empty() {
            assert_eq!(shown.value, wanted, "{name} at {stands:?}");
        }
    }
    places.len()
}

#[test]
fn every_setting_at_every_place() {
    let mut stood = 0;
    // queue.account has one place, and names an application that stands in the same file (`wecom.rs`).
    for key in keys::GLOBAL.iter().filter(|key| **key != keys::QUEUE_ACCOUNT) {
        stood += strongest_wins(key, key.name(), Of::Root);
    }
    for key in keys::OFFICIAL {
        stood += strongest_wins(key, &format!("official.main.{}", key.toml.unwrap()), Of::Official);
    }
    for key in keys::WECOM {
        stood += strongest_wins(key, &format!("wecom.main.{}", key.toml.unwrap()), Of::WeCom);
    }
    assert!(stood > 160, "{stood} places");
}

/// What the table calls the default is what a configuration without the setting has.
#[test]
fn defaults_are_what_is_taken() {
    let written = scene().file(
        "wxops.toml",
        &keys::GLOBAL
            .iter()
            .filter_map(|key| Some(format!("{} = '{}'\n", key.toml?, key.default()?)))
            .collect::<String>(),
    );
    let (written, bare) = (written.load(), scene().load());
    let parts = |config: &Config| {
        (
            config.database_url.reveal().to_owned(),
            (config.listen, config.metrics_listen),
            (config.replay_window, config.unsubscribe_policy, config.log.clone()),
            (config.spool_max, config.spool_tmpfs),
            format!("{:?}", config.queue),
        )
    };
    assert_eq!(parts(&written), parts(&bare));
    let unlike = bare.origins.changed(&written.origins);
    assert_eq!(unlike, ["WXOPS_CONFIG"], "only the file is another");
}
