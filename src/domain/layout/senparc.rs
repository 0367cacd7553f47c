//! Senparc.Weixin (MP 16.25.3, Work 3.32.3, WxOpen 3.28.3, over CO2NET 3.1.5): a bag in JSON, in the strategy of keys and values.
//! It ends by what stands in it, and Redis keeps it: where the key is missing the program registers itself anew and asks
//! the platform. The bag has to hold the account's secret, WeCom's key does too. Each start of such a program puts an
//! empty bag in its place.

use crate::domain::account::{Access, Platform};
use crate::domain::secret::Secret;
use chrono::{DateTime, SecondsFormat};
use serde_json::{Value, json};

/// `SenparcSetting.DefaultCacheNamespace`.
const NAMESPACE: &str = "DefaultCache";

/// When the bag is written, and what is left of the token's life then; milliseconds.
pub(super) struct Times {
    pub now_ms: i64,
    pub left_ms: i64,
    pub life_ms: i64,
}

/// How a platform's bag names what it holds.
struct Names {
    module: &'static str,
    id: &'static str,
    secret: &'static str,
    end: &'static str,
}

fn names(platform: Platform) -> Names {
    match platform {
        Platform::Official => Names { module: "MP", id: "AppId", secret: "AppSecret", end: "AccessTokenExpireTime" },
        Platform::MiniGame => {
            Names { module: "WxOpen", id: "WxOpenAppId", secret: "WxOpenAppSecret", end: "AccessTokenExpireTime" }
        }
        Platform::WeCom => Names { module: "Work", id: "CorpId", secret: "CorpSecret", end: "ExpireTime" },
    }
}

/// `ContainerHelper.GetItemCacheKey`.
pub(super) fn key(namespace: Option<&str>, account: &Access, secret: &Secret) -> String {
    let (namespace, Names { module, .. }) = (namespace.unwrap_or(NAMESPACE), names(account.platform));
    let short = short_key(account, secret);
    format!("Senparc:{namespace}:Container:Senparc.Weixin.{module}.Containers.AccessTokenBag:{short}")
}

fn short_key(account: &Access, secret: &Secret) -> String {
    match account.platform {
        Platform::WeCom => format!("{}@{}", account.app_id, secret.reveal()),
        _ => account.app_id.clone(),
    }
}

/// The bag as Newtonsoft.Json writes it.
pub(super) fn value(account: &Access, secret: &Secret, token: &str, times: Times) -> String {
    let names = names(account.platform);
    let result = object(&[
        ("access_token", json!(token)),
        ("expires_in", json!(times.life_ms / 1000)),
        ("errcode", json!(0)),
        ("errmsg", Value::Null),
    ]);
    let head = object(&[
        (names.id, json!(account.app_id)),
        (names.secret, json!(secret.reveal())),
        (names.end, json!(written(times.now_ms + times.left_ms))),
    ]);
    let tail = object(&[
        ("Name", Value::Null),
        ("Key", json!(short_key(account, secret))),
        ("CacheTime", json!(written(times.now_ms))),
    ]);
    format!("{{{head},\"AccessTokenResult\":{{{result}}},{tail}}}")
}

/// The token of a bag and its end, milliseconds; `None` where it is none, or could not be used by the program.
pub(super) fn read(account: &Access, bag: &[u8]) -> Option<(String, i64)> {
    let bag: Value = serde_json::from_slice(bag).ok()?;
    let (names, secret) = (names(account.platform), account.secret.as_ref()?);
    let complete = bag[names.id].as_str() == Some(&account.app_id)
        && bag[names.secret].as_str().is_some_and(|text| secret.matches(text))
        && bag["Key"].as_str() == Some(&short_key(account, secret));
    let end = DateTime::parse_from_rfc3339(bag[names.end].as_str()?).ok()?;
    let token = bag["AccessTokenResult"]["access_token"].as_str()?;
    complete.then(|| (token.to_owned(), end.timestamp_millis()))
}

/// The members of an object, in this order.
fn object(members: &[(&str, Value)]) -> String {
    members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect::<Vec<_>>().join(",")
}

/// Whole seconds with `+00:00`, as .NET writes a `DateTimeOffset`.
fn written(time_ms: i64) -> String {
    let time = DateTime::from_timestamp_millis(time_ms).unwrap_or_default();
    time.to_rfc3339_opts(SecondsFormat::Secs, false)
}
