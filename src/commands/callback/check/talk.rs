//! The talk with an open port: the GET, what TLS had to say meanwhile, then the pushes.

use super::certificate::Certificate;
use super::client::{Deadline, Line, Silence};
use super::finding::{Finding, Question};
use super::letter::{Writer, echostr};
use super::probe::{Asked, Probe};
use super::witness::Witness;
use super::{Progress, get, post, tls};
use crate::config::Config;
use crate::domain::account::{Mode, Official};
use crate::error::Result;
use crate::say;
use chrono::{DateTime, Utc};
use reqwest::Url;
use std::net::SocketAddr;

/// Everything that is said to an open port.
pub struct Talk<'a> {
    /// What is configured here.
    pub config: &'a Config,
    /// Whom we play the platform for.
    pub account: &'a Official,
    /// The mode we play.
    pub mode: Mode,
    /// The URL.
    pub url: &'a Url,
    /// Its addresses that take connections.
    pub open: &'a [SocketAddr],
    /// Until when all is said.
    pub deadline: Deadline,
    /// Signs of life.
    pub sign: &'a Progress,
}

impl Talk<'_> {
    /// Says it all; `no_post` leaves the pushes out.
    pub async fn all(&self, no_post: bool) -> Result<Vec<Finding>> {
        let token = &self.config.tokens_of(self.account)?[0];
        let now = self.config.clock.now();
        let probe = Probe {
            line: Line::to(self.url, self.open, self.deadline)?,
            url: self.url,
            account: self.account,
            token,
            others: self.config.officials.iter().filter(|other| other.name != self.account.name).collect(),
            mode: self.mode,
            writer: Writer::new(self.account, now.timestamp()),
            witness: Witness::find(self.config).await,
        };
        self.sign.of_life(Question::UrlCheck);
        let echostr = echostr();
        let first = probe.ask(&probe.writer.check(token, &echostr)).await;
        let (mut findings, go_on) = tls((self.url, self.open), &probe.line, &first, now).await;
        if !go_on {
            return Ok(findings);
        }
        let checked = get::judge(&probe, first, &echostr).await;
        findings.extend(checked.findings);
        if no_post {
            let what = say!("left out by --no-post"; "因 --no-post 未检查");
            findings.push(Finding::skipped(Question::Push, what));
        } else if checked.echoed {
            self.sign.of_life(Question::Push);
            findings.extend(post::judge(&probe, checked.proven).await);
        } else {
            let what = say!("not tried: the URL check comes first"; "未检查：须先通过 URL 校验");
            findings.push(Finding::skipped(Question::Push, what));
        }
        Ok(findings)
    }
}

/// What the first request tells of TLS, and whether there is any use in going on. Nothing signed goes to a
/// server that can't prove its name.
pub async fn tls(
    (url, open): (&Url, &[SocketAddr]),
    line: &Line,
    first: &Asked,
    now: DateTime<Utc>,
) -> (Vec<Finding>, bool) {
    if url.scheme() != "https" {
        return (Vec::new(), true);
    }
    match &first.answer {
        Err(Silence::Tls(words)) => {
            let certificate = line.certificate(open).await;
            let certificate = certificate.and_then(|der| Certificate::read(&der));
            (vec![tls::refused(words, url.host_str().unwrap_or_default(), certificate)], false)
        }
        Err(_) => (Vec::new(), true),
        Ok(answer) => {
            let certificate = answer.certificate.as_deref().and_then(Certificate::read);
            (vec![tls::trusted(certificate, now)], true)
        }
    }
}
