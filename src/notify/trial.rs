//! One message that somebody wants to see: made by the rules and templates as a notification would be, and sent past the
//! queue. It takes from the pace of its recipients like any other, and no row is written.

use super::book::{Book, Plan};
use super::channel::{Channels, Size};
use super::judge::{Channel, judge};
use super::open::{database, of_the_sender, wecom};
use super::settle::missed;
use crate::app::App;
use crate::config::{Config, Ways};
use crate::domain::notice::{Notice, Recipient, Via};
use crate::error::{Error, Kind, Result};
use crate::platform::wecom::message::Sent;
use crate::report::span;
use crate::say;
use crate::store::queue::{Counted, QueueDb, Share};
use std::sync::Arc;

/// What is to be otherwise than the configuration says.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// Who is told.
    pub to: Option<Vec<Recipient>>,
    /// By which way.
    pub via: Option<Via>,
}

/// A message to be tried, and why it is this one.
#[derive(Debug)]
pub struct Trial {
    /// The line of the rule that fits; `None`: what `[queue]` says.
    pub rule: Option<usize>,
    /// Who is told, and how.
    pub plan: Plan,
    /// The very bytes.
    pub body: String,
    id: i64,
}

impl Wish {
    /// The configuration as if it said so, with the application that sends as the queue's. A rule goes on saying which
    /// words there are.
    fn applied(&self, config: &Config) -> Result<Config> {
        let mut config = of_the_sender(config)?;
        if let Some(via) = self.via {
            let ways = Ways { via, fallback: None };
            config.queue.ways = ways;
            config.queue.rules.iter_mut().for_each(|rule| rule.ways = ways);
        }
        if let Some(to) = &self.to {
            config.queue.to.clone_from(to);
            config.queue.rules.iter_mut().for_each(|rule| (rule.to, rule.to_column) = (None, None));
        }
        Ok(config)
    }
}

impl Trial {
    /// The message of a notice. Its id tells its bytes from all that were sent before, or the platform would take them
    /// for a repetition: no row may have it.
    pub fn of(config: &Config, wish: &Wish, notice: &Notice) -> Result<Trial> {
        let book = Book::open(&wish.applied(config)?)?;
        let rule = book.rule(notice).map(|rule| rule.line);
        let plan = book.plan(notice)?;
        let body = book.body(notice, &plan, plan.via, &plan.to)?;
        Ok(Trial { rule, plan, body, id: notice.id })
    }

    /// Whether it reaches more people than those who are named.
    pub fn reaches_many(&self) -> bool {
        self.plan.via == Via::App && self.plan.to.iter().any(|to| !matches!(to, Recipient::User(_)))
    }

    /// Sends it once. Errors are the platform's; 69 also where the pace of a recipient is spent or the way is paused.
    pub async fn send(&self, app: Arc<App>) -> Result<Sent> {
        let db = database(&app, &app.config).await?;
        let channels = Channels::of(app.clone(), wecom(&app.config)?);
        let via = self.plan.via;
        if let Some(paused) = channels.paused(via).await? {
            return Err(paused);
        }
        let shares = channels.shares(via, self.id, &self.plan.to, Size::One);
        let granted = db.take_shares(&shares).await?;
        let refused = shares.iter().zip(granted).find(|(_, granted)| !granted);
        if let Some((share, _)) = refused {
            self.count(&db, &channels, Counted::Not).await;
            return Err(spent(&db, share).await?);
        }
        let sent = channels.send(via, &self.body).await;
        let verdict = sent.as_ref().err().map(|error| judge(error, 0, 1));
        self.count(&db, &channels, verdict.as_ref().map_or(Counted::Sent, |verdict| verdict.counted)).await;
        if let (Some(Channel::Paused(pause)), Err(error)) = (verdict.map(|verdict| verdict.channel), &sent) {
            channels.pause(via, pause, error).await;
        }
        sent.map_err(|error| match error.kind {
            Kind::Unknown => error.next(say!(
                "look whether it has arrived; another test is another message";
                "请查看是否已收到；再次测试会是另一条消息"
            )),
            _ => error,
        })
    }

    /// The message is out, or not: what the database says to that is no reason to say otherwise.
    async fn count(&self, db: &QueueDb, channels: &Channels, how: Counted) {
        let counted = (channels.name(self.plan.via), self.id, how);
        if let Err(error) = db.settle_notices(&[], &[counted]).await {
            tracing::warn!(%error, "the pace is not written down; the message counts for 12 s more");
        }
    }
}

/// Whom the platform did not tell, though it took the message: exit 3.
pub fn not_told(sent: &Sent) -> Option<Error> {
    let missed = missed(sent)?;
    let what = say!("sent, but not to everybody: {missed}"; "已发送，但未送达全部接收人：{missed}");
    Some(Error::new(Kind::Partial, what).next(say!(
        "compare the userids with the address book, and look whether the application may be seen by these members";
        "请与通讯录核对 userid，并确认这些成员在应用的可见范围内"
    )))
}

async fn spent(db: &QueueDb, share: &Share) -> Result<Error> {
    let wait = span(db.free_in_ms(share).await?);
    let (en, zh) = (wait.en, wait.zh);
    let who = share.person.as_deref().unwrap_or("@all");
    let what = say!(
        "the pace of {who} is spent: what exceeds it is dropped by the platform without a word";
        "{who} 的发送频率已用尽：超出部分会被平台悄悄丢弃"
    );
    Ok(Error::unavailable(what).next(say!("the next message may go out in {en}"; "{zh}后可发送下一条")))
}
