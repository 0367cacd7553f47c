//! What goes wrong on purpose: `KIND[@PATH]=RATE` or `KIND[@PLATFORM]=RATE`, decided by the seed and the number
//! of the call.

use super::errcode;
use super::noise::{self, Noise};
use crate::error::{Error, Result};
use crate::say;
use serde::Serialize;

/// Paths that take the secret; the rest take a token.
const SECRET_PATHS: &[&str] = &["/cgi-bin/token", "/cgi-bin/stable_token", "/cgi-bin/clear_quota/v2"];

/// Paths of WeCom that take neither: a robot's key, and the secret of an app, which no IP list guards
/// (WeCom reference 2).
const NO_TOKEN: &[&str] = &["/cgi-bin/webhook/send", "/cgi-bin/gettoken"];
/// Paths that WeCom alone has and that take a token; the IP list guards them.
const WECOM: &[&str] = &["/cgi-bin/message/send", "/cgi-bin/message/recall"];
/// Paths that both platforms have.
const SHARED: &[&str] = &["/cgi-bin/getcallbackip", "/cgi-bin/get_api_domain_ip"];
/// The platforms as a fault names them.
const PLATFORMS: &[&str] = &["wechat", "wecom"];
/// An address that WeCom does not know.
const FOREIGN_IP: i64 = 60020;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// This errcode, whatever was asked.
    Code(i64),
    /// The work is done, and -1 answered all the same.
    BusyDone,
    /// 40001 for a token that is good; WeCom says 40014.
    TokenInvalid,
    /// HTTP 500 with a page.
    Http500,
    /// The connection is reset, nothing was done.
    Reset,
    /// Half of the answer, then the end.
    Cut,
    /// HTTP 200 with the page of a captive portal.
    Html,
    /// The work is done, the answer takes 30 s.
    Slow,
    /// The work is done, the connection ends without an answer.
    LostAnswer,
    /// 40164 with the caller's address (calls with the secret); 60020 at WeCom (calls with a token).
    IpNotListed,
    /// 89503, then 89507, then 89506 by the sandbox's clock (calls with the secret).
    AdminConfirm,
    /// 40243 (calls with the secret).
    SecretFrozen,
}

/// Names on the command line.
const NAMES: &[(&str, Kind)] = &[
    ("busy", Kind::Code(-1)),
    ("busy-done", Kind::BusyDone),
    ("quota", Kind::Code(45009)),
    ("token-invalid", Kind::TokenInvalid),
    ("http-500", Kind::Http500),
    ("reset", Kind::Reset),
    ("cut", Kind::Cut),
    ("html", Kind::Html),
    ("slow", Kind::Slow),
    ("lost-answer", Kind::LostAnswer),
    ("ip-not-listed", Kind::IpNotListed),
    ("admin-confirm", Kind::AdminConfirm),
    ("secret-frozen", Kind::SecretFrozen),
];

/// A fault with its rate, on one path, on one platform or everywhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// What goes wrong.
    pub kind: Kind,
    /// Only on this path, or only on this platform: `wechat`, `wecom`.
    pub path: Option<String>,
    /// How often, 0 to 1.
    pub rate: f64,
}

impl Fault {
    /// Reads `busy=0.1`, `quota=5%`, `48001@/cgi-bin/user/info=1`, `lost-answer@wecom=1`.
    pub fn parse(text: &str) -> Result<Fault> {
        let (what, rate) = text.split_once('=').ok_or_else(|| unreadable(text))?;
        let (name, path) = match what.split_once('@') {
            Some((name, place)) if place.starts_with('/') || PLATFORMS.contains(&place) => {
                (name, Some(place.to_owned()))
            }
            Some(_) => return Err(unreadable(text)),
            None => (what, None),
        };
        let rate = rate_of(rate).ok_or_else(|| unreadable(text))?;
        let kind = kind_named(name).ok_or_else(|| unknown(name))?;
        Ok(Fault { kind, path, rate })
    }

    /// The name on the command line.
    pub fn name(&self) -> String {
        kind_name(self.kind)
    }

    fn may_strike(&self, path: &str) -> bool {
        let secret = SECRET_PATHS.contains(&path);
        let fits = match self.kind {
            Kind::IpNotListed => secret || WECOM.contains(&path),
            Kind::AdminConfirm | Kind::SecretFrozen => secret,
            Kind::TokenInvalid => !secret && !NO_TOKEN.contains(&path),
            Kind::Code(FOREIGN_IP) => !NO_TOKEN.contains(&path),
            _ => true,
        };
        fits && self.path.as_deref().is_none_or(|only| only == path || is_of(path, only))
    }
}

/// Whether a platform has this path.
fn is_of(path: &str, platform: &str) -> bool {
    match platform {
        "wecom" => is_wecoms(path) || SHARED.contains(&path),
        "wechat" => !is_wecoms(path),
        _ => false,
    }
}

/// Whether WeCom alone has this path.
pub fn is_wecoms(path: &str) -> bool {
    WECOM.contains(&path) || NO_TOKEN.contains(&path)
}

/// Reads a share: `0.25` or `25%`.
pub fn rate_of(text: &str) -> Option<f64> {
    let rate = match text.strip_suffix('%') {
        Some(percent) => percent.parse::<f64>().ok()? / 100.0,
        None => text.parse::<f64>().ok()?,
    };
    (0.0..=1.0).contains(&rate).then_some(rate)
}

/// Every name that [`Fault::parse`] takes.
pub fn names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().map(|(name, _)| *name)
}

/// A fault as the control API shows it.
#[derive(Debug, Clone, PartialEq, Serialize, serde::Deserialize)]
pub struct Shown {
    /// Its name.
    pub kind: String,
    /// The path or the platform it is limited to.
    pub path: Option<String>,
    /// How often, 0 to 1.
    pub rate: f64,
    /// How many calls it met so far.
    pub struck: u64,
}

/// The faults that are on.
#[derive(Debug)]
pub struct Book {
    seed: u64,
    lines: Vec<Line>,
}

#[derive(Debug)]
struct Line {
    fault: Fault,
    noise: Noise,
    struck: u64,
}

impl Book {
    /// A book of these faults.
    pub fn new(seed: u64, faults: Vec<Fault>) -> Self {
        let mut book = Book { seed, lines: Vec::new() };
        faults.into_iter().for_each(|fault| book.set(fault));
        book
    }

    /// Turns a fault on, changes its rate, or turns it off with rate 0.
    pub fn set(&mut self, fault: Fault) {
        self.lines.retain(|line| (line.fault.kind, &line.fault.path) != (fault.kind, &fault.path));
        if fault.rate > 0.0 {
            let seed = noise::of_text(self.seed, &format!("{}@{:?}", fault.name(), fault.path));
            self.lines.push(Line { fault, noise: Noise::new(seed), struck: 0 });
        }
    }

    /// Turns all off.
    pub fn clear(&mut self) {
        self.lines.clear();
    }

    /// Which fault strikes this call; the first that was set, where several would.
    pub fn strike(&mut self, path: &str) -> Option<Kind> {
        let mut first = None;
        for line in self.lines.iter_mut().filter(|line| line.fault.may_strike(path)) {
            if line.noise.happens(line.fault.rate) && first.is_none() {
                line.struck += 1;
                first = Some(line.fault.kind);
            }
        }
        first
    }

    /// What is on.
    pub fn show(&self) -> Vec<Shown> {
        let shown = |line: &Line| Shown {
            kind: line.fault.name(),
            path: line.fault.path.clone(),
            rate: line.fault.rate,
            struck: line.struck,
        };
        self.lines.iter().map(shown).collect()
    }
}

/// The name of a kind; an errcode without a name is its number.
pub fn kind_name(kind: Kind) -> String {
    match (NAMES.iter().find(|(_, known)| *known == kind), kind) {
        (Some((name, _)), _) => (*name).to_owned(),
        (None, Kind::Code(code)) => code.to_string(),
        (None, other) => format!("{other:?}"),
    }
}

fn kind_named(name: &str) -> Option<Kind> {
    let listed = NAMES.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind);
    listed.or_else(|| name.parse().ok().filter(|code| errcode::is_known(*code)).map(Kind::Code))
}

fn unreadable(text: &str) -> Error {
    Error::usage(say!(
        "cannot read the fault {text:?}: it is KIND=RATE, KIND@/path=RATE, KIND@wecom=RATE or KIND@wechat=RATE, with a rate of 0 to 1 or 0% to 100%";
        "无法识别故障 {text:?}：格式为 KIND=RATE、KIND@/路径=RATE、KIND@wecom=RATE 或 KIND@wechat=RATE，RATE 为 0 到 1 或 0% 到 100%"
    ))
}

fn unknown(name: &str) -> Error {
    let known = names().collect::<Vec<_>>().join(", ");
    Error::usage(say!("no fault is called {name:?}"; "没有名为 {name:?} 的故障"))
        .next(say!("use one of {known}, or an errcode of the reference"; "可用：{known}，或文档中的 errcode"))
}
