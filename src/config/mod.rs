//! The configuration: flag, then environment, then `./.env`, then the TOML file, then the default.
//! Every complaint is exit 78 and names the key and the place it was read from.

mod access;
mod account;
mod apps;
mod callback;
mod client;
mod copies;
mod database;
mod dotenv;
mod file;
mod hook;
mod keys;
mod layers;
mod listed;
mod origins;
mod private;
mod queue;
mod replies;
mod secrets;
mod source;
mod sources;
mod values;
mod wecom;

#[cfg(test)]
mod tests;

pub use origins::{Effective, Origins};
pub use queue::{Capture, Queue, Rule, TemplateFile, Ways, Words};
pub use secrets::{parts as secret_parts, secrets};
pub use source::Origin;
pub use sources::{Environment, Sources};
pub use values::{SpoolDir, UnsubscribePolicy, duration};

use crate::domain::account::{Access, Official, Platform, WeCom};
use crate::domain::client::Client;
use crate::domain::clock::Clock;
use crate::domain::hook::Hook;
use crate::domain::near::near_by;
use crate::domain::network::Network;
use crate::domain::robot::Robot;
use crate::domain::secret::Secret;
use crate::error::{Error, Lang, Result, Text};
use crate::say;
use chrono::FixedOffset;
use keys::Setting;
use layers::{GLOBAL, Layers};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where the platform is (reference 1).
pub const PLATFORM: &str = "https://api.weixin.qq.com";
/// Where WeCom is (WeCom reference 1).
pub const WECOM_PLATFORM: &str = "https://qyapi.weixin.qq.com";

/// Everything that was configured, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// `sqlite://…` or `mysql://…`.
    pub database_url: Secret,
    /// The public listener.
    pub listen: SocketAddr,
    /// The listener of `/metrics`.
    pub metrics_listen: SocketAddr,
    /// How WeChat reaches us, without a slash at its end.
    pub public_url: Option<String>,
    /// The admin client's token.
    pub api_token: Option<Secret>,
    /// Who else may call our own API, and for what.
    pub clients: Vec<Client>,
    /// The proxies before us whose X-Forwarded-For counts.
    pub trusted_proxies: Vec<Network>,
    /// The group robot that alarms go to.
    pub alert_webhook: Option<Robot>,
    /// The Official Accounts, by name.
    pub officials: Vec<Official>,
    /// The WeCom applications, by name.
    pub wecoms: Vec<WeCom>,
    /// The mini-games, by name.
    pub games: Vec<Access>,
    /// Who is told of events.
    pub hooks: Vec<Hook>,
    /// The queue of notifications about members.
    pub queue: Queue,
    /// `--account` or `WXOPS_ACCOUNT`; may be `all`, for verbs that work all of them.
    pub account: Option<String>,
    /// Timestamps older or newer than this are refused; `None` only counts them.
    pub replay_window: Option<Duration>,
    /// What happens to the data of a person who unfollows.
    pub unsubscribe_policy: UnsubscribePolicy,
    /// How far the times in user_mapping are ahead of UTC, where another program writes them too.
    pub user_mapping_timezone: Option<FixedOffset>,
    /// Where callbacks wait while the database is away; `None`: at the usual place.
    pub spool_dir: Option<SpoolDir>,
    /// Bytes that they may take there.
    pub spool_max: u64,
    /// Whether that place may be in memory.
    pub spool_tmpfs: bool,
    /// Where systemd lets this service keep what must last (`$STATE_DIRECTORY`).
    pub state_directory: Option<PathBuf>,
    /// The Redis that holds copies, `redis://…`, `rediss://…` or `redis-cluster://…`.
    pub redis_url: Option<Secret>,
    /// How long a person's position is kept.
    pub location_keep: Duration,
    /// The filter for logs.
    pub log: String,
    /// The language for people, where `--lang` or `WXOPS_LANG` says so.
    pub lang: Option<Lang>,
    /// The clock of the process.
    pub clock: Clock,
    /// The TOML file that was read.
    pub file: Option<PathBuf>,
    /// `./.env`, where it was read.
    pub dotenv: Option<PathBuf>,
    /// The files of secrets that the TOML file names, as it names them.
    pub secret_files: Vec<String>,
    /// What was let pass, to be logged once.
    pub warnings: Vec<Text>,
    /// Every secret in it, for whoever shows texts that others wrote.
    pub secrets: Vec<Secret>,
    /// Where each value came from.
    pub origins: Origins,
    default_official: Option<String>,
    half: Option<Text>,
}

impl Config {
    /// Loads and checks the configuration. No account at all is fine here; a verb that needs one asks
    /// [`Config::official`].
    pub fn load(sources: &Sources) -> Result<Self> {
        let layers = Layers::open(sources)?;
        let mut origins = Origins::default();
        let file = layers.file.as_ref().map(|file| file.path.clone());
        let path = file.as_ref().map(|path| Secret::new(path.display().to_string()));
        origins.note(sources::CONFIG, layers.named.clone(), path, origins::Shown::Plain);
        let mut accounts = account::officials(&layers, &mut origins)?;
        let (wecoms, games) = (apps::wecoms(&layers, &mut origins)?, apps::games(&layers, &mut origins)?);
        let all: Vec<&Access> = everyone(&accounts.list, &wecoms, &games).collect();
        apps::unlike(&layers, &all)?;
        replies::hand_out(layers.file.as_ref(), &mut accounts.list)?;
        note_replies(&layers, &mut origins);
        let database_url = database::url(&layers, &mut origins)?;
        let names: Vec<&str> = accounts.list.iter().map(|account| account.name.as_str()).collect();
        let hooks = hook::hooks(&layers, &names, &mut origins)?;
        let names: Vec<&str> = everyone(&accounts.list, &wecoms, &games).map(|account| &*account.name).collect();
        let clients = client::clients(&layers, &names, &mut origins)?;
        let mut read = Read { layers: &layers, origins: &mut origins };
        let queue = queue::queue(&mut read, &wecoms)?;
        let mut config = Config {
            database_url,
            listen: read.or_default(&keys::LISTEN, values::listen)?,
            metrics_listen: read.or_default(&keys::METRICS_LISTEN, values::listen)?,
            public_url: read.parsed(&keys::PUBLIC_URL, values::public_url)?,
            api_token: read.parsed(&keys::API_TOKEN, |text| Ok(Secret::new(text)))?,
            clients,
            trusted_proxies: read.parsed(&keys::TRUSTED_PROXIES, values::networks)?.unwrap_or_default(),
            alert_webhook: read.parsed(&keys::ALERT_WEBHOOK, values::robot)?,
            account: read.parsed(&keys::ACCOUNT, |text| Ok(text.to_owned()))?,
            replay_window: read.or_default(&keys::REPLAY_WINDOW, values::window)?,
            unsubscribe_policy: read.or_default(&keys::UNSUBSCRIBE_POLICY, values::policy)?,
            user_mapping_timezone: read.parsed(&keys::USER_MAPPING_TIMEZONE, values::offset)?,
            spool_dir: read.parsed(&keys::SPOOL_DIR, values::spool_dir)?,
            spool_max: read.or_default(&keys::SPOOL_MAX, values::size)?,
            spool_tmpfs: read.or_default(&keys::SPOOL_TMPFS, values::switch)?,
            state_directory: sources.state_directory(),
            redis_url: read.parsed(&keys::REDIS_URL, values::redis)?,
            location_keep: read.or_default(&keys::LOCATION_KEEP, values::keep)?,
            log: read.or_default(&keys::LOG, values::log)?,
            lang: read.parsed(&keys::LANG, values::lang)?,
            clock: read.parsed(&keys::CLOCK_FILE, |path| Ok(Clock::Shifted(path.into())))?.unwrap_or_default(),
            file,
            dotenv: layers.dotenv().map(Path::to_owned),
            officials: accounts.list,
            wecoms,
            games,
            hooks,
            queue,
            default_official: accounts.default,
            half: accounts
                .half
                .map(|v| v.error(say!("set, but WECHAT_APP_ID is not"; "已设置，但没有 WECHAT_APP_ID")).what),
            secret_files: layers.secret_files(),
            warnings: Vec::new(),
            secrets: Vec::new(),
            origins: Origins::default(),
        };
        if config.listen == config.metrics_listen && config.listen.port() != 0 {
            let value = layers.get(&keys::METRICS_LISTEN, GLOBAL)?.or(layers.get(&keys::LISTEN, GLOBAL)?);
            let why = say!("metrics never share the public listener"; "指标不能与公开端口共用");
            return Err(value.map_or_else(|| Error::config(why.clone()), |value| value.error(why.clone())));
        }
        copies::check(&layers, config.accesses(), config.redis_url.is_some())?;
        config.origins = origins;
        (config.warnings, config.secrets) = layers.into_warnings_and_secrets();
        Ok(config)
    }

    /// The account of that name; without a name the chosen one, the only one, or the one marked default.
    /// A wrong name on the command line is exit 2, everything else exit 78.
    pub fn official(&self, name: Option<&str>) -> Result<&Official> {
        let Some(wanted) = name.or(self.account.as_deref()).or(self.default_official.as_deref()) else {
            return Err(self.no_default());
        };
        if let Some(official) = self.officials.iter().find(|official| official.name == wanted) {
            return Ok(official);
        }
        let known = self.names();
        if let Some(app) = self.apps().find(|app| app.name == wanted) {
            let platform = app.platform.as_str();
            return Err(Error::usage(say!(
                "this is for Official Accounts, and {wanted} is on {platform}; there is {known}";
                "此命令用于公众号，而 {wanted} 属于 {platform}；现有 {known}"
            )));
        }
        if self.accesses().next().is_none() {
            return Err(self.no_account());
        }
        let from = self.origins.of("WXOPS_ACCOUNT");
        let what = say!("there is no account {wanted:?}; there is {known}"; "没有名为 {wanted:?} 的账号；现有 {known}");
        if name.is_some() || *from == Origin::Flag {
            return Err(Error::usage(what));
        }
        let (place, what) = (from.text(), what);
        let (en, zh, what_en, what_zh) = (place.en, place.zh, what.en, what.zh);
        Err(Error::config(say!("WXOPS_ACCOUNT ({en}): {what_en}"; "WXOPS_ACCOUNT（{zh}）：{what_zh}")))
    }

    /// Every account that can be called for, whatever its platform.
    pub fn accesses(&self) -> impl Iterator<Item = &Access> {
        everyone(&self.officials, &self.wecoms, &self.games)
    }

    /// The WeCom applications and the mini-games.
    pub fn apps(&self) -> impl Iterator<Item = &Access> {
        everyone(&[], &self.wecoms, &self.games)
    }

    /// The account of that name on whichever platform; without a name the chosen or default one, or the only one
    /// there is. Wrong names as of [`Config::official`].
    pub fn access(&self, name: Option<&str>) -> Result<&Access> {
        let wanted = name.or(self.account.as_deref());
        if let Some(app) = wanted.and_then(|wanted| self.apps().find(|app| app.name == wanted)) {
            return Ok(app);
        }
        let mut apps = self.apps();
        match (wanted, self.officials.as_slice(), apps.next(), apps.next()) {
            (None, [], Some(only), None) => Ok(only),
            _ => self.official(name).map(|official| &official.access),
        }
    }

    /// Whether callbacks of anybody can come in.
    pub fn receives(&self) -> bool {
        !self.officials.is_empty() || self.wecoms.iter().any(WeCom::receives)
    }

    /// Whether messages can go out to anybody.
    pub fn sends(&self) -> bool {
        self.wecoms.iter().any(WeCom::sends)
    }

    /// Refuses a configuration that leaves nothing to do: neither can callbacks come in nor messages go out.
    pub fn check_use(&self) -> Result<()> {
        match self.receives() || self.sends() {
            true => Ok(()),
            false => self.official(None).map(drop),
        }
    }

    /// Where the callbacks of a WeCom application arrive: those of the only one that has any, without its name.
    pub fn wecom_path(&self, wecom: &WeCom) -> String {
        match self.wecoms.iter().filter(|other| other.receives()).count() {
            ..2 => "/wecom/event".to_owned(),
            _ => format!("/wecom/{}/event", wecom.name),
        }
    }

    /// Variables of the environment that are nearly ours, each with the one that may be meant. No error: somebody
    /// else may have named them, as Kubernetes does.
    pub fn nearly_ours(sources: &Sources) -> Vec<(String, String)> {
        let known = keys::variables();
        let named = sources
            .env
            .names()
            .filter(|name| ["WXOPS_", "WECHAT_", "WECOM_"].iter().any(|ours| name.starts_with(ours)));
        let strange = named.filter(|name| *name != sources::CONFIG && !known.iter().any(|ours| ours == name));
        strange
            .filter_map(|name| {
                near_by(name, known.iter().map(String::as_str), 2).map(|ours| (name.to_owned(), ours.to_owned()))
            })
            .collect()
    }

    /// Whether it is the account of a command, and of a route, that names none.
    pub fn is_default(&self, official: &Official) -> bool {
        self.default_official.as_ref() == Some(&official.name)
    }

    /// Takes a relative SQLite file as one of `dir`, for a command that sets up another folder.
    pub fn place_database(&mut self, dir: &Path) {
        let Some(rest) = self.database_url.reveal().strip_prefix("sqlite:") else { return };
        let path = rest.strip_prefix("//").unwrap_or(rest);
        if !path.starts_with('/') {
            self.database_url = Secret::new(format!("sqlite://{}", dir.join(path).display()));
        }
    }

    /// `sandbox` where an account's API is on this machine, else `real`.
    pub fn mark(&self) -> &'static str {
        // Only a stand-in is called by http.
        let sandbox = self.accesses().any(|account| account.api_base.starts_with("http://"));
        if sandbox { "sandbox" } else { "real" }
    }

    /// The AppSecret of an account, for verbs that call the platform; exit 78 that says what to set.
    pub fn secret_of<'a>(&self, account: &'a Access) -> Result<&'a Secret> {
        let names = match account.platform {
            Platform::Official => ("AppSecret", "WECHAT_APP_SECRET", "app_secret"),
            Platform::WeCom => ("Secret", "WECOM_SECRET", "secret"),
            Platform::MiniGame => ("AppSecret", "MINIGAME_APP_SECRET", "app_secret"),
        };
        account.secret.as_ref().ok_or_else(|| self.lacks(account, names))
    }

    /// The tokens of an account, for what receives callbacks; exit 78 that says what to set.
    pub fn tokens_of<'a>(&self, official: &'a Official) -> Result<&'a [Secret]> {
        match official.tokens.as_slice() {
            [] => Err(self.lacks(official, ("Token", "WECHAT_TOKEN", "token"))),
            tokens => Ok(tokens),
        }
    }

    fn lacks(&self, account: &Access, (what, variable, key): (&str, &str, &str)) -> Error {
        let (name, table) = (&account.name, format!("{}.{}", account.platform.as_str(), account.name));
        let id = if account.platform == Platform::WeCom { "corp_id" } else { "app_id" };
        let place = self.origins.of(&format!("{table}.{id}")).text();
        let (en, zh) = (place.en, place.zh);
        let error = Error::config(say!(
            "account {name} ({id}: {en}) has no {what}";
            "账号 {name}（{id} 来自 {zh}）没有设置 {what}"
        ));
        let others = self.accesses().filter(|other| other.platform == account.platform).count();
        let variables = match account.platform {
            Platform::Official => self.default_official.as_ref() == Some(name),
            _ => others == 1,
        };
        match variables {
            true => {
                error.next(say!("set {variable}, or {key} in [{table}]"; "请设置 {variable}，或 [{table}] 中的 {key}"))
            }
            false => error.next(say!("set {key} in [{table}]"; "请设置 [{table}] 中的 {key}")),
        }
    }

    fn no_default(&self) -> Error {
        if self.officials.is_empty() {
            return self.no_account();
        }
        let known = self.names();
        Error::config(say!("several accounts and none is the default: {known}"; "有多个账号而没有默认账号：{known}"))
            .next(say!("give --account NAME, or mark one with default = true"; "请用 --account 指定，或给其中一个加上 default = true"))
    }

    fn no_account(&self) -> Error {
        let what = match &self.half {
            // Such as after `init`, which can't know the AppID.
            Some(half) => {
                return Error::config(half.clone()).next(say!(
                    "set WECHAT_APP_ID and WECHAT_APP_SECRET beside it";
                    "请在同一处设置 WECHAT_APP_ID 与 WECHAT_APP_SECRET"
                ));
            }
            None => say!("no Official Account is configured"; "没有配置公众号"),
        };
        Error::config(what).next(say!(
            "set WECHAT_APP_ID, WECHAT_APP_SECRET and WECHAT_TOKEN, or [official.NAME] in wxops.toml; `wxops init` writes both files";
            "请设置 WECHAT_APP_ID、WECHAT_APP_SECRET、WECHAT_TOKEN，或 wxops.toml 中的 [official.NAME]；`wxops init` 可生成这两个文件"
        ))
    }

    fn names(&self) -> String {
        self.accesses().map(|account| account.name.as_str()).collect::<Vec<_>>().join(", ")
    }
}

/// All accounts, in the order of the file's platforms.
fn everyone<'a>(
    officials: &'a [Official],
    wecoms: &'a [WeCom],
    games: &'a [Access],
) -> impl Iterator<Item = &'a Access> {
    officials.iter().map(|official| &official.access).chain(wecoms.iter().map(|wecom| &wecom.access)).chain(games)
}

/// How many there are, where the first stands, and whether a reload brings others.
fn note_replies(layers: &Layers<'_>, origins: &mut Origins) {
    let Some(file) = &layers.file else { return };
    let Some(first) = file.replies.first() else { return };
    let origin = Origin::File { path: file.path.clone(), line: first.line };
    origins.note("reply", origin, Some(Secret::new(file.replies.len().to_string())), origins::Shown::Plain);
}

struct Read<'a> {
    layers: &'a Layers<'a>,
    origins: &'a mut Origins,
}

impl Read<'_> {
    fn parsed<T>(&mut self, setting: &Setting, parse: fn(&str) -> Result<T>) -> Result<Option<T>> {
        let value = self.layers.get(setting, GLOBAL)?;
        self.origins.take(setting.name(), setting, value.as_ref());
        let Some(value) = value else { return Ok(None) };
        parse(value.text.reveal()).map(Some).map_err(|error| value.wrap(error))
    }

    /// For a setting that has a default.
    fn or_default<T>(&mut self, setting: &Setting, parse: fn(&str) -> Result<T>) -> Result<T> {
        match self.parsed(setting, parse)? {
            Some(value) => Ok(value),
            None => parse(setting.default().unwrap_or_default()),
        }
    }
}
