//! The `[[hook]]` tables: who is told of events.

use super::file::account_name;
use super::layers::Layers;
use super::listed::{Item, Listed};
use super::origins::{self, Origins, Shown};
use super::secrets::parts;
use super::source::Origin;
use super::values;
use crate::domain::hook::{Hook, Pattern, SigningKey, Target};
use crate::domain::near::near;
use crate::domain::secret::Secret;
use crate::error::{Error, Result, Text};
use crate::say;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Url;
use std::time::Duration;

/// Hooks at the most: each is a loop, and series of metrics.
const MOST: usize = 16;
/// What a try may take unless said, and at the most: an endpoint, a command.
const TIMEOUT: [Duration; 2] = [Duration::from_secs(15), Duration::from_secs(60)];
const TIMEOUT_MOST: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(600)];
/// Tries unless said, and at the most.
const TRIES: i64 = 8;
const TRIES_MOST: i64 = 20;

/// All hooks; `accounts` are the names there are.
pub(super) fn hooks(layers: &Layers<'_>, accounts: &[&str], origins: &mut Origins) -> Result<Vec<Hook>> {
    let Some(file) = &layers.file else { return Ok(Vec::new()) };
    let mut hooks: Vec<Hook> = Vec::new();
    for table in &file.hooks {
        let mut reader = Reader { layers, table, name: String::new() };
        reader.name = reader.own_name()?;
        if hooks.iter().any(|hook| hook.name == reader.name) {
            return Err(reader.error("name", say!("there is another hook of this name"; "已有同名的 hook")));
        }
        hooks.push(reader.hook(accounts, origins)?);
        if hooks.len() > MOST {
            return Err(reader.error("name", say!("there are more than {MOST} hooks"; "hook 多于 {MOST} 个")));
        }
    }
    Ok(hooks)
}

/// What is secret of a hook as it is written, whether it can be used or not.
pub(super) fn secrets(table: &Listed) -> Vec<Secret> {
    let text = |key: &str| match table.items.get(key) {
        Some((Item::Text(text), _)) => Some(text),
        _ => None,
    };
    let keys = ["secret", "secret_previous"].into_iter().filter_map(text).flat_map(written);
    let urls = ["url", "proxy"].into_iter().filter_map(text);
    let urls = urls.filter(|text| Url::parse(text.reveal()).is_ok()).flat_map(|text| {
        // The path of a webhook is often its key; short words in it are words.
        let path = Url::parse(text.reveal()).ok().map(|url| url.path().to_owned()).unwrap_or_default();
        let segments = path.split('/').filter(|part| part.len() >= 16).map(Secret::new).collect::<Vec<_>>();
        parts(text).into_iter().chain(segments)
    });
    keys.chain(urls).collect()
}

/// A key as it is written, and without its prefix.
fn written(key: &Secret) -> Vec<Secret> {
    let bare = key.reveal().strip_prefix(SigningKey::PREFIX).map(Secret::new);
    bare.into_iter().chain([key.clone()]).collect()
}

struct Reader<'a> {
    layers: &'a Layers<'a>,
    table: &'a Listed,
    name: String,
}

impl Reader<'_> {
    fn own_name(&self) -> Result<String> {
        let Some(name) = self.text("name") else {
            return Err(self.error("name", say!("is missing"; "缺少")));
        };
        match account_name(name.reveal()) {
            true => Ok(name.reveal().to_owned()),
            false => Err(self.error(
                "name",
                say!("a hook's name is 1 to 32 of a-z 0-9 _ -, and not \"all\""; "hook 名应为 1 至 32 个 a-z 0-9 _ - 字符，且不能是 \"all\""),
            )),
        }
    }

    fn hook(&self, accounts: &[&str], origins: &mut Origins) -> Result<Hook> {
        let to = self.target()?;
        let which = usize::from(matches!(to, Target::Command(_)));
        let hook = Hook {
            name: self.name.clone(),
            events: self.events()?,
            accounts: self.accounts(accounts)?,
            timeout: self.timeout(TIMEOUT[which], TIMEOUT_MOST[which])?,
            tries: self.tries()?,
            repeats: self.repeats(which == 0)?,
            to,
        };
        self.note(&hook, origins);
        Ok(hook)
    }

    fn target(&self) -> Result<Target> {
        match (self.text("url"), self.list("command")) {
            (Some(url), None) => self.url(url),
            (None, Some(words)) => self.command(words),
            (Some(_), Some(_)) => {
                Err(self
                    .error("command", say!("a hook has a url or a command, not both"; "url 与 command 只能设置一个")))
            }
            (None, None) => Err(self.error("url", say!("url or command is missing"; "缺少 url 或 command"))),
        }
    }

    fn url(&self, text: &Secret) -> Result<Target> {
        let wrong = || {
            self.error(
                "url",
                say!("not a URL that begins with https:// or http://"; "不是以 https:// 或 http:// 开头的 URL"),
            )
        };
        let url = Url::parse(text.reveal()).map_err(|_| wrong())?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(wrong)?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(wrong());
        }
        if url.scheme() == "http" && !values::is_loopback(host) && !self.flag("insecure") {
            return Err(self
                .error("url", say!(
                    "http is allowed to this machine only: people's data travels over it";
                    "http 只允许用于本机：用户数据会经由它传输"
                ))
                .next(say!("use https; in a network that is all yours, insecure = true allows http"; "请改用 https；若网络完全由您掌控，可设 insecure = true")));
        }
        let Some(current) = self.secret("secret")? else {
            return Err(self
                .error("secret", say!("is missing: deliveries are signed with it"; "缺少：投递要用它签名"))
                .next(say!("make one: echo whsec_$(openssl rand -base64 32)"; "生成方法：echo whsec_$(openssl rand -base64 32)")));
        };
        let keys = [Some(current), self.secret("secret_previous")?].into_iter().flatten().map(|(_, key)| key).collect();
        let proxy = self.text("proxy").map(|proxy| values::proxy(proxy.reveal()));
        let proxy = proxy.transpose().map_err(|error| self.error("proxy", error.what))?;
        Ok(Target::Url { url: text.clone(), host: origins::host(text.reveal()), keys, proxy })
    }

    fn command(&self, words: &[String]) -> Result<Target> {
        if !words.first().is_some_and(|program| program.starts_with('/')) {
            return Err(self.error(
                "command",
                say!(
                    "the program is not named by its full path, such as [\"/usr/local/bin/on-event\", \"argument\"]";
                    "程序应写完整路径，例如 [\"/usr/local/bin/on-event\", \"参数\"]"
                ),
            ));
        }
        if words.iter().any(|word| word.contains('\0')) {
            return Err(self.error("command", say!("has a NUL in it"; "含有 NUL 字符")));
        }
        for key in ["secret", "secret_file", "secret_previous", "secret_previous_file", "proxy", "insecure"] {
            if self.table.items.contains_key(key) {
                return Err(self.error(key, say!("is for hooks with a url"; "只用于带 url 的 hook")));
            }
        }
        Ok(Target::Command(words.to_vec()))
    }

    /// A key as it is written, and read.
    fn secret(&self, key: &str) -> Result<Option<(Secret, SigningKey)>> {
        let pointer = format!("{key}_file");
        let full = self.full(&pointer);
        let (used, found) = match (self.text(key), self.text(&pointer)) {
            (_, Some(path)) => (pointer.as_str(), self.layers.hook_secret(&full, path, self.origin(&pointer))?.text),
            (Some(text), None) => (key, text.clone()),
            (None, None) => return Ok(None),
        };
        match SigningKey::parse(found.reveal()) {
            Some(key) => Ok(Some((found, key))),
            None => Err(self
                .error(used, say!("must be whsec_ and 24 to 64 bytes in base64"; "应为 whsec_ 加 24 至 64 字节的 base64"))
                .next(say!("make one: echo whsec_$(openssl rand -base64 32)"; "生成方法：echo whsec_$(openssl rand -base64 32)"))),
        }
    }

    fn events(&self) -> Result<Vec<Pattern>> {
        let list = self.list("events").filter(|list| !list.is_empty());
        let list = list.ok_or_else(|| {
            self.error("events", say!("is missing: which events? [\"*\"] for all"; "缺少：哪些事件？[\"*\"] 表示全部"))
        })?;
        let pattern = |text: &String| {
            Pattern::parse(text).ok_or_else(|| {
                let error =
                    self.error("events", say!("{text:?} names no kind of event"; "没有名为 {text:?} 的事件类型"));
                let names = Pattern::names().map(|(name, ..)| name).chain(["event.*", "message.*", "*"]);
                match near(text, names).or_else(|| {
                    Pattern::names().map(|(name, ..)| name).find(|name| name.ends_with(&format!(".{text}")))
                }) {
                    Some(near) => error.next(say!("did you mean {near}?"; "是不是 {near}？")),
                    None => {
                        error.next(say!("wxops sandbox push list names them"; "wxops sandbox push list 会列出全部类型"))
                    }
                }
            })
        };
        list.iter().map(pattern).collect()
    }

    fn accounts(&self, known: &[&str]) -> Result<Vec<String>> {
        let list = self.list("accounts").unwrap_or_default();
        match list.iter().find(|name| !known.contains(&name.as_str())) {
            None => Ok(list.to_vec()),
            Some(name) => {
                let known = known.join(", ");
                Err(self.error(
                    "accounts",
                    say!("there is no account {name:?}; there is {known}"; "没有名为 {name:?} 的账号；现有 {known}"),
                ))
            }
        }
    }

    fn timeout(&self, default: Duration, most: Duration) -> Result<Duration> {
        let Some(text) = self.text("timeout") else { return Ok(default) };
        let timeout = values::duration(text.reveal()).map_err(|error| self.error("timeout", error.what))?;
        let seconds = most.as_secs();
        match timeout.is_zero() || timeout > most {
            true => Err(self
                .error("timeout", say!("must be more than 0 and at most {seconds}s"; "应大于 0 且不超过 {seconds}s"))),
            false => Ok(timeout),
        }
    }

    fn tries(&self) -> Result<i64> {
        match self.table.items.get("tries") {
            None => Ok(TRIES),
            Some((Item::Number(tries), _)) if (1..=TRIES_MOST).contains(tries) => Ok(*tries),
            Some(_) => Err(self.error("tries", say!("must be 1 to {TRIES_MOST}"; "应为 1 至 {TRIES_MOST}"))),
        }
    }

    /// A receiver knows a repeated delivery by its webhook-id; what a command did twice, it did twice.
    fn repeats(&self, default: bool) -> Result<bool> {
        match self.text("when_unknown").map(Secret::reveal) {
            None => Ok(default),
            Some("repeat") => Ok(true),
            Some("ask") => Ok(false),
            Some(_) => Err(self.error("when_unknown", say!("must be repeat or ask"; "应为 repeat 或 ask"))),
        }
    }

    fn text(&self, key: &str) -> Option<&Secret> {
        self.table.text(key)
    }

    fn list(&self, key: &str) -> Option<&[String]> {
        self.table.list(key)
    }

    fn flag(&self, key: &str) -> bool {
        self.table.flag(key)
    }

    fn full(&self, key: &str) -> String {
        self.table.full(&self.name, key)
    }

    fn origin(&self, key: &str) -> Origin {
        self.table.origin(self.layers, key)
    }

    fn error(&self, key: &str, why: Text) -> Error {
        self.table.error(self.layers, (&self.name, key), why)
    }

    /// What `doctor --origins` shows, and by which a reload knows what changed.
    fn note(&self, hook: &Hook, origins: &mut Origins) {
        let keys: &[SigningKey] = if let Target::Url { keys, .. } = &hook.to { keys } else { &[] };
        let bytes = |at: usize| keys.get(at).map(|key: &SigningKey| STANDARD.encode(key.bytes())).unwrap_or_default();
        for (key, (item, _)) in &self.table.items {
            let (text, shown) = match (key.as_str(), item) {
                ("secret" | "secret_file", _) => (bytes(0), Shown::Masked),
                ("secret_previous" | "secret_previous_file", _) => (bytes(1), Shown::Masked),
                ("url", Item::Text(text)) => (text.reveal().to_owned(), Shown::Host),
                ("proxy", Item::Text(text)) => (text.reveal().to_owned(), Shown::Url),
                (_, Item::Text(text)) => (text.reveal().to_owned(), Shown::Plain),
                (_, Item::List(list)) => (list.join(" "), Shown::Plain),
                (_, Item::Number(number)) => (number.to_string(), Shown::Plain),
                (_, Item::Flag(flag)) => (flag.to_string(), Shown::Plain),
            };
            origins.note(&self.full(key), self.origin(key), Some(Secret::new(text)), shown);
        }
    }
}
