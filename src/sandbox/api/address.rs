//! GET /cgi-bin/getcallbackip (who calls us) and get_api_domain_ip (what we call) (reference 3.5).
//! The addresses are of the ranges kept for documents.

use super::call::Call;
use crate::sandbox::errcode::Refusal;
use crate::sandbox::world::{House, World};
use serde::Serialize;

#[derive(Serialize)]
struct Addresses<'a> {
    ip_list: &'a [&'a str],
}

/// Addresses that pushes may come from, one of them a range.
pub fn callers(_: &World, _: &House, _: &Call) -> Result<String, Refusal> {
    Ok(list(&["198.51.100.0/24", "203.0.113.211", "127.0.0.1"]))
}

/// Addresses of the API.
pub fn called(_: &World, _: &House, _: &Call) -> Result<String, Refusal> {
    Ok(list(&["203.0.113.18", "203.0.113.103"]))
}

fn list(ip_list: &[&str]) -> String {
    serde_json::to_string(&Addresses { ip_list }).unwrap_or_default()
}
