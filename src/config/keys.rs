//! The table of settings: their variable, their key in the TOML file, and whether they are secret.

use super::origins::Shown;
use crate::domain::account::Platform;

/// One setting under its two names.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Setting {
    /// The environment variable; absent where only the file has it.
    pub env: Option<&'static str>,
    /// The key in the file; absent where only the environment has it.
    pub toml: Option<&'static str>,
    /// Secrets may also stand in a file of their own.
    pub secret: bool,
}

impl Setting {
    /// The value where nobody sets it, as it would be written; `None` where there is none, or another decides.
    pub fn default(&self) -> Option<&'static str> {
        DEFAULTS.iter().find(|(setting, _)| setting == self).map(|(_, text)| *text)
    }

    /// Its name for people: the variable, else the key in the file.
    pub fn name(&self) -> &'static str {
        self.env.or(self.toml).unwrap_or_default()
    }

    /// How its value is shown to people.
    pub fn shown(&self) -> Shown {
        match *self {
            DATABASE_URL | QUEUE_DATABASE_URL | REDIS_URL | PROXY => Shown::Url,
            _ if self.secret => Shown::Masked,
            _ => Shown::Plain,
        }
    }
}

const fn plain(env: &'static str, toml: &'static str) -> Setting {
    Setting { env: Some(env), toml: Some(toml), secret: false }
}

const fn secret(env: &'static str, toml: &'static str) -> Setting {
    Setting { env: Some(env), toml: Some(toml), secret: true }
}

const fn in_file(toml: &'static str) -> Setting {
    Setting { env: None, toml: Some(toml), secret: false }
}

const fn variable(env: &'static str, secret: bool) -> Setting {
    Setting { env: Some(env), toml: None, secret }
}

pub(super) const DATABASE_URL: Setting = secret("DATABASE_URL", "database_url");
pub(super) const DB_HOST: Setting = variable("DB_HOST", false);
pub(super) const DB_PORT: Setting = variable("DB_PORT", false);
pub(super) const DB_USER: Setting = variable("DB_USER", false);
pub(super) const DB_PASSWORD: Setting = variable("DB_PASSWORD", true);
pub(super) const DB_NAME: Setting = variable("DB_NAME", false);
pub(super) const REDIS_URL: Setting = secret("REDIS_URL", "redis_url");
pub(super) const LISTEN: Setting = plain("WXOPS_LISTEN", "listen");
pub(super) const METRICS_LISTEN: Setting = plain("WXOPS_METRICS_LISTEN", "metrics_listen");
pub(super) const PUBLIC_URL: Setting = plain("WXOPS_PUBLIC_URL", "public_url");
pub(super) const API_TOKEN: Setting = secret("WXOPS_API_TOKEN", "api_token");
pub(super) const TRUSTED_PROXIES: Setting = plain("WXOPS_TRUSTED_PROXIES", "trusted_proxies");
pub(super) const ALERT_WEBHOOK: Setting = secret("WXOPS_ALERT_WEBHOOK", "alert_webhook");
pub(super) const REPLAY_WINDOW: Setting = plain("WXOPS_REPLAY_WINDOW", "replay_window");
pub(super) const UNSUBSCRIBE_POLICY: Setting = plain("WXOPS_UNSUBSCRIBE_POLICY", "unsubscribe_policy");
pub(super) const USER_MAPPING_TIMEZONE: Setting = plain("WXOPS_USER_MAPPING_TIMEZONE", "user_mapping_timezone");
pub(super) const SPOOL_DIR: Setting = plain("WXOPS_SPOOL_DIR", "spool_dir");
pub(super) const SPOOL_MAX: Setting = plain("WXOPS_SPOOL_MAX", "spool_max");
pub(super) const SPOOL_TMPFS: Setting = plain("WXOPS_SPOOL_TMPFS", "spool_tmpfs");
pub(super) const LOCATION_KEEP: Setting = plain("WXOPS_LOCATION_KEEP", "location_keep");
pub(super) const LOG: Setting = plain("WXOPS_LOG", "log");
pub(super) const LANG: Setting = variable("WXOPS_LANG", false);
pub(super) const ACCOUNT: Setting = variable("WXOPS_ACCOUNT", false);
pub(super) const CLOCK_FILE: Setting = variable("WXOPS_CLOCK_FILE", false);

pub(super) const QUEUE_DATABASE_URL: Setting = secret("WXOPS_QUEUE_DATABASE_URL", "queue.database_url");
pub(super) const QUEUE_MEMBERS: Setting = in_file("queue.members_table");
pub(super) const QUEUE_ID: Setting = in_file("queue.id_column");
pub(super) const QUEUE_FIELDS: Setting = in_file("queue.fields");
pub(super) const QUEUE_KINDS: Setting = in_file("queue.kinds");
pub(super) const QUEUE_CHANGED: Setting = in_file("queue.changed");
pub(super) const QUEUE_STATUS: Setting = in_file("queue.status_column");
pub(super) const QUEUE_CAPTURE: Setting = in_file("queue.capture");
pub(super) const QUEUE_ATTEMPTS: Setting = in_file("queue.max_attempts");

pub(super) const QUEUE_ACCOUNT: Setting = in_file("queue.account");
pub(super) const QUEUE_MESSAGE: Setting = in_file("queue.message");
pub(super) const QUEUE_TEMPLATE: Setting = in_file("queue.template");
pub(super) const QUEUE_VIA: Setting = in_file("queue.via");
pub(super) const QUEUE_FALLBACK: Setting = in_file("queue.fallback");
pub(super) const QUEUE_DIGEST: Setting = in_file("queue.digest");
pub(super) const QUEUE_IN_SERVE: Setting = in_file("queue.in_serve");
pub(super) const QUEUE_INTERVAL: Setting = plain("QUEUE_MONITOR_INTERVAL", "queue.monitor_interval");

pub(super) const GLOBAL: &[Setting] = &[
    DATABASE_URL,
    DB_HOST,
    DB_PORT,
    DB_USER,
    DB_PASSWORD,
    DB_NAME,
    REDIS_URL,
    LISTEN,
    METRICS_LISTEN,
    PUBLIC_URL,
    API_TOKEN,
    TRUSTED_PROXIES,
    ALERT_WEBHOOK,
    REPLAY_WINDOW,
    UNSUBSCRIBE_POLICY,
    USER_MAPPING_TIMEZONE,
    SPOOL_DIR,
    SPOOL_MAX,
    SPOOL_TMPFS,
    LOCATION_KEEP,
    LOG,
    LANG,
    ACCOUNT,
    CLOCK_FILE,
    QUEUE_DATABASE_URL,
    QUEUE_MEMBERS,
    QUEUE_ID,
    QUEUE_FIELDS,
    QUEUE_KINDS,
    QUEUE_CHANGED,
    QUEUE_STATUS,
    QUEUE_CAPTURE,
    QUEUE_ATTEMPTS,
    QUEUE_ACCOUNT,
    QUEUE_MESSAGE,
    QUEUE_TEMPLATE,
    QUEUE_VIA,
    QUEUE_FALLBACK,
    QUEUE_DIGEST,
    QUEUE_IN_SERVE,
    QUEUE_INTERVAL,
];

pub(super) const APP_ID: Setting = plain("WECHAT_APP_ID", "app_id");
pub(super) const APP_SECRET: Setting = secret("WECHAT_APP_SECRET", "app_secret");
pub(super) const TOKEN: Setting = secret("WECHAT_TOKEN", "token");
pub(super) const TOKEN_PREVIOUS: Setting = secret("WECHAT_TOKEN_PREVIOUS", "token_previous");
pub(super) const AES_KEY: Setting = secret("WECHAT_AES_KEY", "aes_key");
pub(super) const AES_KEY_PREVIOUS: Setting = secret("WECHAT_AES_KEY_PREVIOUS", "aes_key_previous");
pub(super) const MODE: Setting = plain("WECHAT_MODE", "mode");
pub(super) const ORIGINAL_ID: Setting = plain("WECHAT_ORIGINAL_ID", "original_id");
pub(super) const API_BASE: Setting = plain("WECHAT_API_BASE", "api_base");
pub(super) const PROXY: Setting = Setting { env: None, toml: Some("proxy"), secret: false };
pub(super) const TOKEN_API: Setting = plain("WECHAT_TOKEN_API", "token_api");
pub(super) const TOKEN_FROM: Setting = Setting { env: None, toml: Some("token_from"), secret: false };
pub(super) const TOKEN_FROM_KEY: Setting = Setting { env: None, toml: Some("token_from_key"), secret: true };
pub(super) const TOKEN_LAYOUT: Setting = Setting { env: None, toml: Some("token_redis_layout"), secret: false };

/// The settings of one Official Account.
pub(super) const OFFICIAL: &[Setting] = &[
    APP_ID,
    APP_SECRET,
    TOKEN,
    TOKEN_PREVIOUS,
    AES_KEY,
    AES_KEY_PREVIOUS,
    MODE,
    ORIGINAL_ID,
    API_BASE,
    PROXY,
    TOKEN_API,
    TOKEN_FROM,
    TOKEN_FROM_KEY,
    TOKEN_LAYOUT,
];

pub(super) const CORP_ID: Setting = plain("WECOM_CORP_ID", "corp_id");
pub(super) const AGENT_ID: Setting = plain("WECOM_AGENT_ID", "agent_id");
pub(super) const CORP_SECRET: Setting = secret("WECOM_SECRET", "secret");
pub(super) const WECOM_TOKEN: Setting = secret("WECOM_TOKEN", "token");
pub(super) const WECOM_TOKEN_PREVIOUS: Setting = secret("WECOM_TOKEN_PREVIOUS", "token_previous");
pub(super) const WECOM_AES_KEY: Setting = secret("WECOM_AES_KEY", "aes_key");
pub(super) const WECOM_AES_KEY_PREVIOUS: Setting = secret("WECOM_AES_KEY_PREVIOUS", "aes_key_previous");
pub(super) const TO_USER: Setting = plain("WECOM_TO_USER", "to_user");
pub(super) const WEBHOOK_KEY: Setting = secret("WECOM_WEBHOOK_KEY", "webhook_key");
pub(super) const WECOM_API_BASE: Setting = plain("WECOM_API_BASE", "api_base");

/// The settings of one WeCom application.
pub(super) const WECOM: &[Setting] = &[
    CORP_ID,
    AGENT_ID,
    CORP_SECRET,
    WECOM_TOKEN,
    WECOM_TOKEN_PREVIOUS,
    WECOM_AES_KEY,
    WECOM_AES_KEY_PREVIOUS,
    TO_USER,
    WEBHOOK_KEY,
    WECOM_API_BASE,
    PROXY,
    TOKEN_FROM,
    TOKEN_FROM_KEY,
    TOKEN_LAYOUT,
];

pub(super) const GAME_ID: Setting = plain("MINIGAME_APP_ID", "app_id");
pub(super) const GAME_SECRET: Setting = secret("MINIGAME_APP_SECRET", "app_secret");

/// The settings of one mini-game; its API has the Official Accounts' address.
pub(super) const MINIGAME: &[Setting] =
    &[GAME_ID, GAME_SECRET, API_BASE, PROXY, TOKEN_API, TOKEN_FROM, TOKEN_FROM_KEY, TOKEN_LAYOUT];

/// The settings of an account on a platform.
pub(super) fn of(platform: Platform) -> &'static [Setting] {
    match platform {
        Platform::Official => OFFICIAL,
        Platform::WeCom => WECOM,
        Platform::MiniGame => MINIGAME,
    }
}

/// The keys of a `[[hook]]`; only the file has them.
pub(super) const HOOK: &[&str] = &[
    "name",
    "url",
    "command",
    "events",
    "accounts",
    "secret",
    "secret_file",
    "secret_previous",
    "secret_previous_file",
    "timeout",
    "tries",
    "when_unknown",
    "proxy",
    "insecure",
];

/// The keys of a `[[client]]`; only the file has them.
pub(super) const CLIENT: &[&str] = &["name", "token_sha256", "scopes", "addresses"];

/// The keys of a `[[queue.rule]]`; only the file has them.
pub(super) const QUEUE_RULE: &[&str] = &["when", "kinds", "to", "to_column", "message", "template", "via", "fallback"];

/// What is taken where nobody says otherwise.
const DEFAULTS: &[(Setting, &str)] = &[
    (DATABASE_URL, "sqlite://wxops.db"),
    (DB_PORT, "3306"),
    (LISTEN, "127.0.0.1:8080"),
    (METRICS_LISTEN, "127.0.0.1:9464"),
    (REPLAY_WINDOW, "off"),
    (UNSUBSCRIBE_POLICY, "erase"),
    (SPOOL_MAX, "1GiB"),
    (SPOOL_TMPFS, "false"),
    (LOCATION_KEEP, "60d"),
    (LOG, "info"),
    (QUEUE_MEMBERS, "members"),
    (QUEUE_ID, "id"),
    (QUEUE_FIELDS, "member_no, nickname, wechat, phone, type, gender, status, remaining_matches, created_at"),
    (QUEUE_KINDS, "new"),
    (QUEUE_STATUS, "status"),
    (QUEUE_CAPTURE, "trigger"),
    (QUEUE_ATTEMPTS, "3"),
    (QUEUE_MESSAGE, "text"),
    (QUEUE_VIA, "app"),
    (QUEUE_DIGEST, "off"),
    (QUEUE_IN_SERVE, "false"),
    (QUEUE_INTERVAL, "5m"),
    (API_BASE, super::PLATFORM),
    (WECOM_API_BASE, super::WECOM_PLATFORM),
    (TOKEN_API, "stable_token"),
];

/// Every variable that is read, with the `_FILE` form of the secrets.
pub(super) fn variables() -> Vec<String> {
    let mut all = names(GLOBAL.iter().chain(accounts()), |setting| setting.env, "_FILE");
    all.sort();
    all.dedup();
    all
}

/// Every setting of an account, on whichever platform.
pub(super) fn accounts() -> impl Iterator<Item = &'static Setting> {
    OFFICIAL.iter().chain(WECOM).chain(MINIGAME)
}

/// The keys of `[queue]`, by their full names.
pub(super) fn queue() -> Vec<String> {
    toml_keys(GLOBAL).into_iter().filter(|name| name.starts_with("queue.")).collect()
}

/// The keys a table of the TOML file may have, with the `_file` form of the secrets.
pub(super) fn toml_keys(settings: &[Setting]) -> Vec<String> {
    names(settings.iter(), |setting| setting.toml, "_file")
}

fn names<'a>(
    settings: impl Iterator<Item = &'a Setting>,
    name: impl Fn(&Setting) -> Option<&'static str>,
    suffix: &str,
) -> Vec<String> {
    let mut all = Vec::new();
    for setting in settings {
        let Some(name) = name(setting) else { continue };
        all.push(name.to_owned());
        if setting.secret {
            all.push(format!("{name}{suffix}"));
        }
    }
    all
}

/// The known name that a misspelt one most likely means.
pub(super) fn near<'a>(wrong: &str, known: &'a [String]) -> Option<&'a str> {
    crate::domain::near::near(wrong, known.iter().map(String::as_str))
}
