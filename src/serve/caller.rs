//! Who calls our own API, and from where.

use super::accounts::Table;
use crate::domain::client::{Client, Proof};
use crate::domain::network::Network;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, StatusCode, header};
use std::net::{IpAddr, SocketAddr};

/// The other end of the connection; stands in the extensions of a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub IpAddr);

/// Who proved themselves with `Authorization: Bearer`.
#[derive(Debug, Clone, Copy)]
pub(super) enum Caller<'t> {
    /// With WXOPS_API_TOKEN: may everything.
    Admin,
    /// A `[[client]]`.
    Client(&'t Client),
}

impl<'t> Caller<'t> {
    /// Who it is. Everybody's hash is compared, so that the time tells nothing.
    pub fn known(table: &'t Table, headers: &HeaderMap) -> Option<Caller<'t>> {
        let given = Proof::of(bearer(headers)?);
        let admin = table.admin.iter().map(|proof| (proof, Caller::Admin));
        let clients = table.config.clients.iter().map(|client| (&client.proof, Caller::Client(client)));
        clients
            .chain(admin)
            .fold(None, |found, (proof, caller)| if proof.matches(&given) { Some(caller) } else { found })
    }

    /// Who it is, where they may call from; what they may is asked next. Else what is answered, and why.
    pub fn admitted(table: &'t Table, parts: &Parts) -> Result<Caller<'t>, (StatusCode, &'static str)> {
        let Some(caller) = Caller::known(table, &parts.headers) else {
            let what = "Authorization: Bearer with the token of a [[client]] is missing or wrong";
            return Err((StatusCode::UNAUTHORIZED, what));
        };
        let from = source(&parts.extensions, &parts.headers, &table.config.trusted_proxies);
        match caller.may_come_from(from) {
            true => Ok(caller),
            false => Err((StatusCode::FORBIDDEN, "this client may not call from this address")),
        }
    }

    /// The name in the log.
    pub fn name(self) -> &'t str {
        match self {
            Caller::Admin => "admin",
            Caller::Client(client) => &client.name,
        }
    }

    /// Whether it may have the access_token of an account of this name, there or not.
    pub fn may_token(self, account: &str) -> bool {
        match self {
            Caller::Admin => true,
            Caller::Client(client) => client.may_token(account),
        }
    }

    /// Whether it may start a pass over the notification queue.
    pub fn may_process_queue(self) -> bool {
        match self {
            Caller::Admin => true,
            Caller::Client(client) => client.may_process_queue(),
        }
    }

    /// Whether it may call from there.
    fn may_come_from(self, address: Option<IpAddr>) -> bool {
        match self {
            Caller::Admin => true,
            Caller::Client(client) => client.may_come_from(address),
        }
    }
}

/// The token of the one Authorization header. Never of a cookie or the query: links would act.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let (only, None) = (all.next()?, all.next()) else { return None };
    let (scheme, token) = only.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// The address that a request comes from: of those that proxies of ours name, the last that is none of them. `None`
/// where that can't be told.
pub(super) fn source(extensions: &Extensions, headers: &HeaderMap, trusted: &[Network]) -> Option<IpAddr> {
    let mut at = extensions.get::<Peer>()?.0;
    let is_ours = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    for line in headers.get_all("x-forwarded-for").iter().rev() {
        for part in line.to_str().ok()?.rsplit(',') {
            if !is_ours(at) {
                return Some(at);
            }
            at = address(part.trim())?;
        }
    }
    Some(at)
}

/// An address as proxies write it: bare, in brackets, with a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|with_port| with_port.ip()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use axum::http::HeaderValue;

    fn lines(name: &'static str, lines: &[&str]) -> HeaderMap {
        lines.iter().map(|line| (name.parse().unwrap(), HeaderValue::from_str(line).unwrap())).collect()
    }

    #[test]
    fn only_one_bearer_in_the_head_counts() {
        let of = |all: &[&str]| bearer(&lines("authorization", all)).map(str::to_owned);
        assert_eq!(of(&["Bearer abc"]).as_deref(), Some("abc"));
        assert_eq!(of(&["bearer  abc"]).as_deref(), Some("abc"));
        for bad in [&[][..], &["Basic abc"], &["Bearer"], &["Bearer "], &["abc"], &["Bearer a", "Bearer b"]] {
            assert_eq!(of(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn forwarded_addresses_count_from_our_proxies_alone() {
        let trusted = ["127.0.0.1", "10.0.0.0/8"].map(|text| Network::parse(text).unwrap());
        for (peer, forwarded, source_is) in [
            ("203.0.113.5", &["198.51.100.1"][..], Some("203.0.113.5")),
            ("127.0.0.1", &[], Some("127.0.0.1")),
            ("127.0.0.1", &["198.51.100.1"], Some("198.51.100.1")),
            ("127.0.0.1", &["6.6.6.6, 198.51.100.1, 10.0.0.9"], Some("198.51.100.1")),
            ("127.0.0.1", &["6.6.6.6", "198.51.100.1:4711"], Some("198.51.100.1")),
            ("::ffff:127.0.0.1", &["[2001:db8::1]"], Some("2001:db8::1")),
            ("127.0.0.1", &["10.0.0.1, 10.0.0.2"], Some("10.0.0.1")),
            ("127.0.0.1", &["198.51.100.1, unknown"], None),
            ("127.0.0.1", &[""], None),
        ] {
            let mut extensions = Extensions::new();
            extensions.insert(Peer(peer.parse().unwrap()));
            let found = source(&extensions, &lines("x-forwarded-for", forwarded), &trusted);
            assert_eq!(found, source_is.map(|text| text.parse().unwrap()), "{peer} {forwarded:?}");
        }
        assert_eq!(source(&Extensions::new(), &HeaderMap::new(), &trusted), None);
    }
}
