//! What the platform still allows an account today, and giving it all back (reference 8).

use crate::domain::account::Access;
use crate::domain::secret::Secret;
use crate::error::Result;
use crate::platform::fresh::secret;
use crate::platform::http::{Answer, Client, Request, Tokens, unreadable, whole};
use serde::Serialize;
use serde_json::{Map, Value};

/// The day's quota of which an account's jobs and loops live, by the path that [`get`] asks for. A new call of an account
/// is a new line here.
pub const OURS: &[&str] = &[USER_GET, BATCHGET, USER_INFO, STABLE_TOKEN, DOMAIN_IP];
/// The list of followers, a page a call.
pub const USER_GET: &str = "/cgi-bin/user/get";
/// 100 people a call.
pub const BATCHGET: &str = "/cgi-bin/user/info/batchget";
/// One person a call.
pub const USER_INFO: &str = "/cgi-bin/user/info";
/// The access_token.
pub const STABLE_TOKEN: &str = "/cgi-bin/stable_token";
/// With which a token is tried.
pub const DOMAIN_IP: &str = "/cgi-bin/get_api_domain_ip";

/// The quota of one API as the platform counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Calls a day; `None` where the platform says 0, which is no limit or no right to the API: it does not tell which.
    pub daily_limit: Option<u64>,
    /// Calls of this day of Beijing.
    pub used: u64,
    /// Calls that are left of the day; `None` where there is no limit to leave any of.
    pub remain: Option<u64>,
    /// The limit beside that of the day; `None` where the platform names none.
    pub rate_limit: Option<Rate>,
}

/// So many calls in so many seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Calls.
    pub calls: u64,
    /// Seconds until they can be made again.
    pub seconds: u64,
}

#[derive(Serialize)]
struct Path<'a> {
    cgi_path: &'a str,
}

#[derive(Serialize)]
struct ByToken<'a> {
    appid: &'a str,
}

#[derive(Serialize)]
struct BySecret<'a> {
    appid: &'a str,
    appsecret: &'a str,
}

/// POST /cgi-bin/openapi/quota/get of one API, whose path has its leading slash and no host: `/cgi-bin/user/get`.
/// A read: it may be repeated. 76021 for a path that the platform does not know, 76022 for one that this kind of account
/// has no right to, 76003 for a malformed one (reference 8).
pub async fn get(client: &Client, tokens: &dyn Tokens, account: &Access, cgi_path: &str) -> Result<Quota> {
    let request = Request::post("openapi/quota/get", &Path { cgi_path })?;
    let answer = client.call(account, tokens, &request).await?;
    read(&answer).ok_or_else(|| unreadable("openapi/quota/get", "quota"))
}

/// POST /cgi-bin/clear_quota: what every API has used of the day is 0 again. 10 a calendar month, the console's
/// included, then 48006; 40013 where the appid is not the token's. Never to be repeated by itself: where
/// [`may_have_arrived`](crate::platform::http::may_have_arrived) says so, one of the ten may be gone (reference 8, 9).
/// Answers with the platform's request id, where it tells one.
pub async fn clear(client: &Client, tokens: &dyn Tokens, account: &Access) -> Result<Option<String>> {
    let request = Request::post("clear_quota", &ByToken { appid: &account.app_id })?;
    Ok(client.call(account, tokens, &request).await?.rid)
}

/// POST /cgi-bin/clear_quota/v2: the same by the AppSecret, for an account that gets no token; of the same ten. The
/// platform's page lists both values as body and shows them in the query (which counts is unconfirmed): they go in the
/// body alone, since a URL is no place for a secret (reference 8).
pub async fn clear_by_secret(client: &Client, account: &Access) -> Result<Option<String>> {
    let appsecret: &Secret = secret(account)?;
    let body = BySecret { appid: &account.app_id, appsecret: appsecret.reveal() };
    let request = Request::post("clear_quota/v2", &body)?.hiding(appsecret);
    Ok(client.call_bare(account, &request).await?.rid)
}

fn read(answer: &Answer) -> Option<Quota> {
    let quota = answer.body.get("quota")?.as_object()?;
    let used = number(quota, "used")?;
    let daily_limit = Some(number(quota, "daily_limit")?).filter(|limit| *limit > 0);
    let remain = daily_limit.map(|limit| number(quota, "remain").unwrap_or_else(|| limit.saturating_sub(used)));
    let rate_limit = answer.body.get("rate_limit").and_then(Value::as_object).and_then(rate);
    Some(Quota { daily_limit, used, remain, rate_limit })
}

fn rate(limit: &Map<String, Value>) -> Option<Rate> {
    let positive = |key| number(limit, key).filter(|number| *number > 0);
    Some(Rate { calls: positive("call_count")?, seconds: positive("refresh_second")? })
}

/// A count; what the platform calls less than nothing is nothing.
fn number(map: &Map<String, Value>, key: &str) -> Option<u64> {
    Some(u64::try_from(whole(map.get(key)?)?).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::OURS;

    /// Calls whose quota is nobody's worry: by hand, or this very question.
    const BY_HAND: [&str; 5] = ["token", "clear_quota", "clear_quota/v2", "openapi/quota/get", "openapi/rid/get"];

    #[test]
    fn every_call_of_an_account_is_looked_after() {
        let mut open = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/platform/wechat")];
        let mut seen = 0;
        while let Some(file) = open.pop() {
            if file.is_dir() {
                open.extend(std::fs::read_dir(file).unwrap().map(|file| file.unwrap().path()));
                continue;
            }
            if file.ends_with("tests.rs") {
                continue;
            }
            let text = std::fs::read_to_string(&file).unwrap();
            for part in text.split("Request::get(\"").skip(1).chain(text.split("Request::post(\"").skip(1)) {
                let api = part.split('"').next().unwrap();
                let path = format!("/cgi-bin/{api}");
                assert!(
                    BY_HAND.contains(&api) || OURS.contains(&path.as_str()),
                    "{api} of {} is in no list",
                    file.display()
                );
                seen += 1;
            }
        }
        assert!(seen > BY_HAND.len(), "{seen}");
    }
}
