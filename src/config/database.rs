//! `DATABASE_URL`, or the `DB_HOST`, `DB_PORT`, `DB_USER`, `DB_PASSWORD` and `DB_NAME` that many a CRM has.

use super::keys::{self, Setting};
use super::layers::{GLOBAL, Layers};
use super::origins::Origins;
use super::source::{Origin, Value};
use crate::domain::secret::Secret;
use crate::error::{Error, Result};
use crate::say;
use reqwest::Url;
use zeroize::Zeroizing;

/// The database's URL. Parts from a stronger source (environment over file) beat a whole URL from a weaker one.
pub(super) fn url(layers: &Layers<'_>, origins: &mut Origins) -> Result<Secret> {
    let whole = layers.get(&keys::DATABASE_URL, GLOBAL)?;
    for part in [keys::DB_HOST, keys::DB_PORT, keys::DB_USER, keys::DB_PASSWORD, keys::DB_NAME] {
        origins.take(part.env.unwrap_or_default(), &part, layers.get(&part, GLOBAL)?.as_ref());
    }
    let host = layers.get(&keys::DB_HOST, GLOBAL)?;
    let (url, origin) = match (whole, host) {
        (Some(whole), Some(host)) if host.layer < whole.layer => (parts(layers, &host)?, host.origin),
        (Some(whole), _) => {
            check(whole.text.reveal()).map_err(|error| whole.wrap(error))?;
            (whole.text, whole.origin)
        }
        (None, Some(host)) => (parts(layers, &host)?, host.origin),
        (None, None) => (Secret::new(keys::DATABASE_URL.default().unwrap_or_default()), Origin::Default),
    };
    origins.note("DATABASE_URL", origin, Some(url.clone()), keys::DATABASE_URL.shown());
    Ok(url)
}

fn parts(layers: &Layers<'_>, host: &Value) -> Result<Secret> {
    let need = |setting: &Setting| -> Result<Value> {
        let name = setting.env.unwrap_or_default();
        layers.get(setting, GLOBAL)?.ok_or_else(|| host.error(say!("{name} is missing beside it"; "还缺少 {name}")))
    };
    let (user, name) = (need(&keys::DB_USER)?, need(&keys::DB_NAME)?);
    let port = match layers.get(&keys::DB_PORT, GLOBAL)? {
        None => keys::DB_PORT.default().unwrap_or_default().to_owned(),
        Some(port) => match port.text.reveal().parse::<u16>() {
            Ok(1..) => port.text.reveal().to_owned(),
            _ => return Err(port.error(say!("not a port, 1 to 65535"; "不是端口（1 至 65535）"))),
        },
    };
    let password = layers.get(&keys::DB_PASSWORD, GLOBAL)?;
    mysql(&host.text, &port, &user.text, password.as_ref().map(|value| &value.text), &name.text)
        .ok_or_else(|| host.error(say!("not a host"; "不是主机名")))
}

/// The parts as a URL, with what is no letter or digit escaped; `None` when the host can't be one.
fn mysql(host: &Secret, port: &str, user: &Secret, password: Option<&Secret>, name: &Secret) -> Option<Secret> {
    let host = match host.reveal() {
        v6 if v6.contains(':') && !v6.starts_with('[') => format!("[{v6}]"),
        host => host.to_owned(),
    };
    let user = escaped(user.reveal());
    let password = password.map(|text| format!(":{}", escaped(text.reveal()))).unwrap_or_default();
    let text = Zeroizing::new(format!("mysql://{user}{password}@{host}:{port}/{}", escaped(name.reveal())));
    // A host such as `db/x` would move the borders of the other parts.
    Url::parse(&text).ok().filter(|url| url.host_str() == Some(host.as_str()))?;
    Some(Secret::new(text.as_str()))
}

/// Percent-encoding. `Url`'s own setters leave a `%` of the password as it is, which then reads as an escape.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Whether it is the URL of a database that can be used.
pub(super) fn check(text: &str) -> Result<()> {
    if let Some(path) = text.strip_prefix("sqlite:") {
        let path = path.strip_prefix("//").unwrap_or(path).split('?').next().unwrap_or_default();
        return match path {
            "" | ":memory:" => Err(Error::config(say!(
                "names no file; write sqlite://wxops.db";
                "没有文件名；应为 sqlite://wxops.db"
            ))),
            _ => Ok(()),
        };
    }
    let wrong = || {
        Error::config(say!(
            "must be sqlite://FILE or mysql://USER:PASSWORD@HOST:PORT/NAME";
            "应为 sqlite://文件 或 mysql://用户:密码@主机:端口/库名"
        ))
        .next(
            say!("write % # / ? @ in a password as %25 %23 %2F %3F %40"; "密码中的 % # / ? @ 写作 %25 %23 %2F %3F %40"),
        )
    };
    let url = Url::parse(text).map_err(|_| wrong())?;
    // An @ behind the host is the end of a password with a / in it, whose beginning would be shown as the port.
    let named =
        url.path().len() > 1 && !url.path().contains('@') && url.host_str().is_some_and(|host| !host.is_empty());
    if url.scheme() == "mysql" && named { Ok(()) } else { Err(wrong()) }
}
