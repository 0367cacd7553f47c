//! GET /cgi-bin/getcallbackip (who calls us) and get_api_domain_ip (what we call) (reference 3.5, WeCom
//! reference 3.4). Both platforms have them: the token says which one is asked. The addresses are of the
//! ranges kept for documents.

use super::call::Call;
use crate::sandbox::errcode::Refusal;
use crate::sandbox::world::{House, World};
use serde::Serialize;

/// Who pushes.
pub const CALLERS: &str = "/cgi-bin/getcallbackip";
/// Whom clients call.
pub const CALLED: &str = "/cgi-bin/get_api_domain_ip";

#[derive(Serialize)]
struct Addresses<'a> {
    ip_list: &'a [&'a str],
    #[serde(flatten)]
    said: Option<Said<'a>>,
}

#[derive(Serialize)]
struct Said<'a> {
    errcode: i64,
    errmsg: &'a str,
}

/// Addresses that pushes may come from, one of them a range.
pub fn callers(_: &World, house: &House, _: &Call) -> Result<String, Refusal> {
    Ok(list(house, &["198.51.100.0/24", "203.0.113.211", "127.0.0.1"]))
}

/// Addresses of the API.
pub fn called(_: &World, house: &House, _: &Call) -> Result<String, Refusal> {
    Ok(list(house, &["203.0.113.18", "203.0.113.103"]))
}

fn list(house: &House, ip_list: &[&str]) -> String {
    let said = house.account.is_wecom().then_some(Said { errcode: 0, errmsg: "ok" });
    serde_json::to_string(&Addresses { ip_list, said }).unwrap_or_default()
}
