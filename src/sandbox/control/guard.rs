//! Who may use the control API: nobody through a browser's foreign page, and on a loopback listener
//! only under a loopback name (a page could otherwise rebind its own name to this machine).

use crate::sandbox::push::is_loopback;
use crate::sandbox::world::World;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use reqwest::Url;
use std::sync::Arc;

/// Proof that the request is not a foreign page's.
pub struct Local;

impl FromRequestParts<Arc<World>> for Local {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, world: &Arc<World>) -> Result<Self, StatusCode> {
        let origin = value(&parts.headers, header::ORIGIN)?;
        let host = value(&parts.headers, header::HOST)?;
        let own_page = origin.is_none_or(local);
        let own_name = !world.loopback || host.is_some_and(|host| local(&format!("http://{host}")));
        if own_page && own_name { Ok(Local) } else { Err(StatusCode::FORBIDDEN) }
    }
}

fn value(headers: &HeaderMap, name: header::HeaderName) -> Result<Option<&str>, StatusCode> {
    headers.get(name).map(|value| value.to_str().map_err(|_| StatusCode::FORBIDDEN)).transpose()
}

fn local(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| is_loopback(&url))
}
