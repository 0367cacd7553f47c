//! When no answer came. Whether the request had left by then decides what may be repeated (reference 9, transport).

use super::Limits;
use crate::error::{Error, Text, Then};
use crate::say;
use std::time::Duration;

/// Until a probe may go out after the network failed; whoever keeps the channel may wait longer.
const NETWORK_PAUSE: Duration = Duration::from_secs(5);

/// The error of a call to `api` at `host` that got no answer. The text says whether the request was sent;
/// the URL, which holds the token, is taken out.
pub fn error(api: &str, host: &str, limits: &Limits, e: reqwest::Error) -> Error {
    let e = e.without_url();
    let what =
        if e.is_connect() || e.is_builder() { not_sent(api, host, limits, &e) } else { sent(api, host, limits, &e) };
    Error::unavailable(what).then(Then::Pause { after: NETWORK_PAUSE, whole_account: true }).source(e)
}

/// Whether an error leaves it open that the platform has acted on the request: it was sent, and no answer came.
pub fn may_have_arrived(error: &Error) -> bool {
    of(error).is_some_and(|e| !e.is_connect() && !e.is_builder())
}

/// Whether an error says that the request reached nobody: no connection came about.
pub fn never_left(error: &Error) -> bool {
    of(error).is_some_and(|e| e.is_connect() || e.is_builder())
}

fn of(error: &Error) -> Option<&reqwest::Error> {
    std::error::Error::source(error).and_then(|cause| cause.downcast_ref())
}

/// DNS, TCP, TLS or the proxy: nothing reached the platform.
fn not_sent(api: &str, host: &str, limits: &Limits, e: &reqwest::Error) -> Text {
    let cause = cause(e);
    let seconds = limits.connect.as_secs_f64();
    if e.is_timeout() {
        return say!(
            "{api}: no connection to {host} within {seconds} s; the request was not sent";
            "{api}：{seconds} 秒内未能连上 {host}，请求未发出"
        );
    }
    say!(
        "{api}: no connection to {host}: {cause}; the request was not sent";
        "{api}：无法连接 {host}：{cause}，请求未发出"
    )
}

/// The platform may have acted on the request.
fn sent(api: &str, host: &str, limits: &Limits, e: &reqwest::Error) -> Text {
    let cause = cause(e);
    let seconds = limits.call.as_secs_f64();
    if e.is_timeout() {
        return say!(
            "{api}: no answer from {host} within {seconds} s; the request was sent, its outcome is not known";
            "{api}：{host} 在 {seconds} 秒内没有应答，请求已发出，结果未知"
        );
    }
    say!(
        "{api}: the connection to {host} broke: {cause}; the request was sent, its outcome is not known";
        "{api}：与 {host} 的连接中断：{cause}，请求已发出，结果未知"
    )
}

/// The innermost error: it says most in the fewest words.
fn cause(e: &reqwest::Error) -> String {
    let mut at: &dyn std::error::Error = e;
    while let Some(inner) = at.source() {
        at = inner;
    }
    at.to_string()
}
