//! One call before it leaves: method, path, query and body, with the access_token kept apart until the last moment.

use crate::domain::secret::Secret;
use crate::error::{Error, Result};
use crate::say;
use reqwest::Url;
use reqwest::header::CONTENT_TYPE;
use serde::Serialize;
use std::fmt;

/// HTTP method of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// With a JSON body.
    Post,
}

/// A call to a platform. `Debug` shows the API only: query and body may hold secrets and openids.
#[derive(Clone)]
pub struct Request {
    method: Method,
    api: &'static str,
    query: Vec<(&'static str, String)>,
    body: Option<Vec<u8>>,
    hidden: Vec<Secret>,
}

impl Request {
    /// GET of `/cgi-bin/{api}`.
    pub fn get(api: &'static str) -> Self {
        Request { method: Method::Get, api, query: Vec::new(), body: None, hidden: Vec::new() }
    }

    /// POST to `/cgi-bin/{api}` with a JSON body in UTF-8 without `\u` escapes (reference 0).
    pub fn post(api: &'static str, body: &impl Serialize) -> Result<Self> {
        let body = serde_json::to_vec(body).map_err(|_| {
            Error::failed(say!("{api}: the body can't be written as JSON"; "{api}：请求体无法写成 JSON"))
        })?;
        Ok(Request { method: Method::Post, body: Some(body), ..Self::get(api) })
    }

    /// The same with a body of JSON that was written before: these very bytes.
    pub fn post_as_it_is(api: &'static str, body: &str) -> Self {
        Request { method: Method::Post, body: Some(body.as_bytes().to_vec()), ..Self::get(api) }
    }

    /// Adds a parameter to the query; the access_token comes by itself.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.query.push((key, value.into()));
        self
    }

    /// Names a secret that the request carries, so that an answer that quotes it is masked.
    #[must_use]
    pub fn hiding(mut self, secret: &Secret) -> Self {
        self.hidden.push(secret.clone());
        self
    }

    /// The API as the reference names it: `user/info`.
    pub fn api(&self) -> &'static str {
        self.api
    }

    pub(super) fn hidden(&self) -> impl Iterator<Item = &Secret> {
        self.hidden.iter()
    }

    /// The whole URL below `base`, the access_token first.
    pub(super) fn url(&self, mut base: Url, token: Option<&Secret>) -> Url {
        base.set_path(&format!("{}/cgi-bin/{}", base.path().trim_end_matches('/'), self.api));
        if token.is_some() || !self.query.is_empty() {
            let mut pairs = base.query_pairs_mut();
            pairs.extend_pairs(token.map(|token| ("access_token", token.reveal())));
            pairs.extend_pairs(&self.query);
        }
        base
    }

    pub(super) fn onto(&self, pool: reqwest::Client, url: Url) -> reqwest::RequestBuilder {
        let builder = match self.method {
            Method::Get => pool.get(url),
            Method::Post => pool.post(url),
        };
        match &self.body {
            Some(body) => builder.header(CONTENT_TYPE, "application/json").body(body.clone()),
            None => builder,
        }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({:?} {})", self.method, self.api)
    }
}
