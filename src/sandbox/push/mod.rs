//! Pushes: events of the platform sent to a callback, signed as the platform signs.

mod deliver;
mod envelope;
mod events;
mod fields;
mod letter;
mod order;
mod reply;
mod report;
mod wecom;
mod xml;

pub use deliver::client;
pub use order::{Break, Order};
pub use report::{Outcome, Pushed, Report};
pub use wecom::is_door as is_wecom;

use super::account::{Account, Kind as AccountKind, kind_name, mode_named};
use super::clock::Clock;
use super::crowd::Crowd;
use super::limits::Limits;
use super::noise::{self, Noise};
use super::world::{House, lock};
use crate::domain::account::Mode;
use crate::error::{Error, Kind, Result};
use crate::say;
use report::Tally;
use reqwest::Url;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// The name that stands for a weighted mixture of all kinds.
pub const MIX: &str = "mix";

/// Every name that an order's `event` takes, `mix` last.
pub fn event_names() -> impl Iterator<Item = &'static str> {
    events::KINDS.iter().map(|kind| kind.name).chain([MIX])
}

/// The same of WeCom's pushes.
pub fn wecom_event_names() -> impl Iterator<Item = &'static str> {
    wecom::KINDS.iter().map(|kind| kind.name).chain([MIX])
}

/// Refuses a name that no push has, before anybody is asked to send it.
///
/// # Errors
/// Usage, with the names that there are.
pub fn check_name(event: &str) -> Result<()> {
    match event == MIX || events::named(event).is_some() || wecom::named(event).is_some() {
        true => Ok(()),
        false => Err(no_event(event, event_names())),
    }
}

/// The name that sends a kind of event, by the name it is stored under (`message.text`, `event.scan`).
pub fn name_of(kind: &str) -> Option<&'static str> {
    let found = match kind.split_once('.') {
        Some(("message", _)) => events::named(kind),
        Some(("event", name)) => events::named(name),
        _ => events::named(kind),
    };
    found.map(|kind| kind.name)
}

/// Sends pushes with an account's keys without a running sandbox.
pub async fn in_process(account: Account, order: Order) -> Result<Report> {
    let http = client()
        .map_err(|error| Error::failed(say!("cannot make an HTTP client"; "无法创建 HTTP 客户端")).source(error))?;
    let house = Arc::new(House::new(account, rand::random(), Crowd::new(0, 0), Arc::new(Limits::new(&[]))));
    run(house, Arc::new(Clock::new(Default::default())), http, order).await
}

/// What a run of pushes shares.
struct Round {
    house: Arc<House>,
    clock: Arc<Clock>,
    http: reqwest::Client,
    order: Order,
    kind: Option<&'static events::Kind>,
    mode: Mode,
    to: Url,
    began: Instant,
    next: AtomicU64,
    noise: Mutex<Noise>,
    tally: Mutex<Tally>,
}

/// Carries an order out and waits for its end. Dropping the future stops it.
pub async fn run(house: Arc<House>, clock: Arc<Clock>, http: reqwest::Client, order: Order) -> Result<Report> {
    let round = Arc::new(check(house, clock, http, order)?);
    let mut senders = JoinSet::new();
    for _ in 0..round.order.concurrency.clamp(1, 1024) {
        senders.spawn(send_all(round.clone()));
    }
    while let Some(ended) = senders.join_next().await {
        ended.map_err(|error| Error::failed(say!("a sender stopped"; "发送任务中止")).source(error))??;
    }
    let mut to = round.to.clone();
    to.set_query(None);
    let tally = std::mem::take(&mut *lock(&round.tally));
    Ok(tally.finish(to.to_string(), round.order.damage.is_some(), round.began.elapsed()))
}

/// Checks an order before anything is sent.
fn check(house: Arc<House>, clock: Arc<Clock>, http: reqwest::Client, order: Order) -> Result<Round> {
    let is_wecom = house.account.is_wecom();
    if house.account.kind == AccountKind::Minigame || (is_wecom && house.account.aes_key.is_none()) {
        return Err(no_pushes(&house.account));
    }
    let (kind, names) = match is_wecom {
        true => (wecom::named(&order.event), wecom_event_names().collect::<Vec<_>>()),
        false => (events::named(&order.event), event_names().collect()),
    };
    if kind.is_none() && order.event != MIX {
        return Err(no_event(&order.event, names.into_iter()));
    }
    let mode = match &order.mode {
        Some(name) if is_wecom && mode_named(name) != Some(Mode::Secure) => return Err(always_sealed()),
        None if is_wecom => Mode::Secure,
        None => house.account.mode,
        Some(name) => mode_named(name).ok_or_else(|| no_mode(name))?,
    };
    if mode == Mode::Plain && order.damage.is_some_and(Break::needs_encryption) {
        return Err(Error::usage(say!(
            "in plain mode nothing is encrypted that could be damaged";
            "明文模式下没有可损坏的加密内容"
        )));
    }
    if let Some((path, _)) = order.set.iter().find(|(path, _)| !xml::is_path(path)) {
        return Err(Error::usage(say!("{path:?} cannot be the name of an element"; "{path:?} 不能作为元素名")));
    }
    let to = order.to.clone().or_else(|| lock(&house.callback).clone()).ok_or_else(no_target)?;
    let to = Url::parse(&to).ok().filter(|url| url.has_host()).ok_or_else(|| no_url(&to))?;
    if !is_loopback(&to) && !order.yes {
        return Err(not_loopback(&to));
    }
    let seed = noise::of_text(house.pushes(), &house.account.app_id);
    Ok(Round {
        kind,
        mode,
        to,
        began: Instant::now(),
        next: AtomicU64::new(0),
        noise: Mutex::new(Noise::new(seed)),
        tally: Mutex::default(),
        house,
        clock,
        http,
        order,
    })
}

/// One sender: takes the next push until all are taken.
async fn send_all(round: Arc<Round>) -> Result<()> {
    loop {
        let turn = round.next.fetch_add(1, Relaxed);
        if turn >= round.order.count {
            return Ok(());
        }
        if let Some(rate) = round.order.rate.filter(|rate| *rate > 0.0) {
            let wait = Duration::try_from_secs_f64(turn as f64 / rate).ok();
            match wait.and_then(|wait| round.began.checked_add(wait)) {
                Some(due) => tokio::time::sleep_until(due.into()).await,
                None => return Ok(()),
            }
        }
        let (letter, again) = {
            let mut noise = lock(&round.noise);
            let letter = next(&round, &mut noise);
            (letter, noise.happens(round.order.duplicates))
        };
        for duplicate in [false, true].into_iter().take(1 + usize::from(again)) {
            send(&round, &letter, duplicate).await?;
        }
    }
}

/// The next letter, of the kind that was ordered or any.
fn next(round: &Round, noise: &mut Noise) -> letter::Letter {
    let Round { house, order, kind, clock, .. } = round;
    match house.account.is_wecom() {
        true => {
            let kind = kind.unwrap_or_else(|| events::mixed(wecom::KINDS, noise.draw()));
            wecom::write(house, order, kind, clock.now_ms())
        }
        false => {
            let kind = kind.unwrap_or_else(|| events::mixed(events::KINDS, noise.draw()));
            letter::write(house, order, kind, noise, clock.now_ms())
        }
    }
}

async fn send(round: &Round, letter: &letter::Letter, duplicate: bool) -> Result<()> {
    let account = &round.house.account;
    let (now, damage) = (round.clock.now(), round.order.damage);
    let envelope = match account.is_wecom() {
        true => wecom::seal(account, letter, now, damage)?,
        false => envelope::seal(account, round.mode, letter, now, damage)?,
    };
    let delivered = deliver::deliver(&round.http, &round.to, account, round.mode, &envelope).await;
    lock(&round.tally).add(letter, duplicate, &delivered);
    Ok(())
}

/// Whether an address is of this machine.
pub fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}

fn no_pushes(account: &Account) -> Error {
    let Account { name, kind, .. } = account;
    let kind = kind_name(*kind);
    Error::usage(say!(
        "the sandbox sends no pushes of [{kind}.{name}], only those of Official Accounts, and of WeCom applications that have token and aes_key";
        "沙箱不发送 [{kind}.{name}] 的推送，只发送公众号以及设置了 token 与 aes_key 的企业微信应用的推送"
    ))
}

fn always_sealed() -> Error {
    Error::usage(say!("WeCom encrypts every push: leave --mode out"; "企业微信的推送都是加密的：请去掉 --mode"))
}

fn no_event(name: &str, names: impl Iterator<Item = &'static str>) -> Error {
    let names = names.collect::<Vec<_>>().join(", ");
    Error::usage(say!("no event is called {name:?}"; "没有名为 {name:?} 的事件"))
        .next(say!("use one of {names}"; "可用：{names}"))
}

fn no_mode(name: &str) -> Error {
    Error::usage(
        say!("the mode {name:?} is none of plain, compat, secure"; "模式 {name:?} 不是 plain、compat、secure 之一"),
    )
}

fn no_target() -> Error {
    Error::usage(say!("no callback is known to push to"; "不知道要推送到哪个回调地址")).next(
        say!("give --to URL, or start the sandbox with --callback URL"; "请用 --to URL，或启动沙箱时加 --callback URL"),
    )
}

fn no_url(text: &str) -> Error {
    Error::usage(say!("{text:?} is no URL"; "{text:?} 不是有效的 URL"))
}

fn not_loopback(to: &Url) -> Error {
    let host = to.host_str().unwrap_or_default();
    Error::new(Kind::Usage, say!("{host} is not this machine"; "{host} 不是本机"))
        .next(say!("add --yes if the pushes are meant to go there"; "确认要推送到那里，请加 --yes"))
}
