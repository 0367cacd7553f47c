//! Claims rows and makes messages of them: who is told, by which way, whether the pace allows it now, and in which words.
//! What is due beyond the budget of its recipients is put on a pile and told of in one message.

use super::channel::Size;
use super::hand::{InHand, Message, Pile, ending};
use super::judge::reason;
use super::pass::{Notifier, Options, Shared};
use super::recipients::Recipients;
use crate::domain::notice::{Kind, Notice, Recipient, Via};
use crate::error::{Error, Result};
use crate::store::queue::{Claimed, Counted, Ending, Fate, Share};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::mpsc;

/// More than this is due: no recipient may be left without budget for a message that tells of the rest.
const WITHIN: u32 = super::channel::MINUTE as u32;
/// So many rows lie on piles at the most.
const PILED: usize = 400;
/// A row whose way is closed is looked at again after so long, milliseconds, and does not hold up those that leave by the other.
const CLOSED_MS: i64 = 30_000;

type Piles = BTreeMap<Pile, Vec<InHand>>;

pub(super) struct Planner<'a> {
    notifier: &'a Arc<Notifier>,
    options: &'a Options,
    shared: &'a Arc<Shared>,
    ready: mpsc::Sender<Message>,
    piles: Piles,
    endings: Vec<Ending>,
    closed: Vec<Via>,
    /// What a message of one row is, as long as more is due than a budget holds, or not.
    size: Size,
    claimed: u64,
}

impl<'a> Planner<'a> {
    pub fn new(
        notifier: &'a Arc<Notifier>,
        options: &'a Options,
        shared: &'a Arc<Shared>,
        ready: mpsc::Sender<Message>,
    ) -> Self {
        let (piles, endings, closed) = Default::default();
        Planner { notifier, options, shared, ready, piles, endings, closed, size: Size::One, claimed: 0 }
    }

    /// Claims until nothing is due or the pass is to end; tells how many rows there were.
    pub async fn run(mut self) -> Result<u64> {
        let done = self.claim_all().await;
        let rest = self.flush().await;
        let back = self.give_back().await;
        done.and(rest).and(back)?;
        Ok(self.claimed)
    }

    async fn claim_all(&mut self) -> Result<()> {
        self.look_at_channels().await?;
        if !self.digest_is_due().await? {
            return Ok(());
        }
        let db = &self.notifier.db;
        self.size = if db.due_up_to(WITHIN + 1).await? > i64::from(WITHIN) { Size::OneOfMany } else { Size::One };
        while let Some(batch) = self.next_batch() {
            let rows = db.claim(&self.notifier.drain, batch).await?;
            if rows.is_empty() {
                break;
            }
            let count = rows.iter().map(|row| 1 + row.others.len() as u64).sum::<u64>();
            self.claimed += count;
            self.shared.count(|counts| counts.claimed += count);
            let messages = self.messages(rows).await?;
            self.freeze_and_send(messages).await?;
            if self.piles.values().map(Vec::len).sum::<usize>() >= PILED {
                self.flush().await?;
            }
        }
        Ok(())
    }

    /// How many rows to claim; `None`: no more.
    fn next_batch(&self) -> Option<u32> {
        let over = self.options.until.is_some_and(|until| Instant::now() >= until);
        let ways = Via::ALL.into_iter().filter(|via| self.notifier.channels.has(*via));
        if over || self.shared.stop.is_cancelled() || ways.filter(|via| !self.is_closed(*via)).count() == 0 {
            return None;
        }
        let claimed = self.shared.counts.lock().map_or(0, |counts| counts.claimed);
        let left = self.options.max.map_or(u64::MAX, |max| max.saturating_sub(claimed));
        let batch = u64::from(self.options.batch).min(left);
        u32::try_from(batch).ok().filter(|batch| *batch > 0)
    }

    /// A way that the platform has paused is not asked before its time; where there is no other, that is the end.
    async fn look_at_channels(&mut self) -> Result<()> {
        let mut why = None;
        for via in Via::ALL {
            let Some(error) = self.notifier.paused(via).await? else { continue };
            self.closed.push(via);
            why = Some(error);
        }
        match why {
            Some(error)
                if Via::ALL.iter().all(|via| self.closed.contains(via) || !self.notifier.channels.has(*via)) =>
            {
                Err(error)
            }
            _ => Ok(()),
        }
    }

    /// Where rows are told of together, the oldest of them has to be old enough.
    async fn digest_is_due(&self) -> Result<bool> {
        let Some(age) = self.options.digest else { return Ok(true) };
        let oldest = self.notifier.db.oldest_due_ms().await?;
        let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
        if let Some(oldest) = oldest.filter(|oldest| *oldest < age) {
            self.shared.waits(age - oldest);
        }
        Ok(oldest.is_some_and(|oldest| oldest >= age))
    }

    /// The messages that can be sent now; the other rows are on piles, or have their ends.
    async fn messages(&mut self, rows: Vec<Claimed>) -> Result<Vec<Message>> {
        let (mut ready, mut planned) = (Vec::new(), Vec::new());
        for row in rows {
            match row.body {
                Some(_) => ready.extend(self.again(row)),
                None => planned.extend(self.planned(row)),
            }
        }
        let mut messages = self.repeat(ready).await?;
        messages.extend(self.singles(planned).await?);
        Ok(messages)
    }

    /// A message that was frozen before is sent by the same bytes.
    fn again(&mut self, row: Claimed) -> Option<Message> {
        let via = row.channel.as_deref().and_then(Via::parse);
        let recipients = row.recipients.as_deref().and_then(Recipients::read);
        let (Some(via), Some(recipients), Some(body)) = (via, recipients, row.body.clone()) else {
            // Somebody wrote into the row: it is made anew.
            self.endings.push(ending(&row, Fate::Back { in_ms: 0, thaw: true, reason: None }));
            return None;
        };
        let others = row.others.iter().map(|id| (*id, row.lease.clone()));
        Some(Message {
            rows: std::iter::once((row.id, row.lease.clone())).chain(others).collect(),
            via,
            budget: self.notifier.channels.name(via),
            recipients,
            body,
            attempts: row.attempts,
            max_attempts: row.max_attempts,
            repeated: row.suspect,
            // What may have arrived by one way does not go out by another.
            fallback: None,
        })
    }

    /// A row with who is to be told; one that nothing can be made of is dead.
    fn planned(&mut self, row: Claimed) -> Option<InHand> {
        let planned = self.notice(&row).and_then(|notice| {
            let plan = self.notifier.book.plan(&notice)?;
            let earlier = row.recipients.as_deref().and_then(Recipients::read);
            let earlier_via = row.channel.as_deref().and_then(Via::parse);
            let via = match (earlier_via.unwrap_or(plan.via), plan.fallback) {
                (via, Some(other)) if self.is_closed(via) => other,
                (via, _) => via,
            };
            let to = earlier.map_or_else(|| plan.to.clone(), |earlier| earlier.now);
            Ok((notice, plan, via, to))
        });
        match planned {
            Ok((.., via, _)) if self.is_closed(via) => {
                self.endings.push(ending(&row, Fate::back(CLOSED_MS)));
                None
            }
            Ok((notice, plan, via, to)) => Some(InHand { row, notice, plan, via, to }),
            Err(error) => {
                self.dead(&row, &error);
                None
            }
        }
    }

    fn is_closed(&self, via: Via) -> bool {
        self.closed.contains(&via) || self.shared.trouble.over(via)
    }

    fn notice(&self, row: &Claimed) -> Result<Notice> {
        let unreadable = |what: &str| Error::failed(crate::error::Text { en: what.to_owned(), zh: what.to_owned() });
        let kind =
            Kind::parse(&row.kind).ok_or_else(|| unreadable("its notification_type is none that wxops knows"))?;
        let payload = serde_json::from_str(&row.payload).map_err(|_| unreadable("its payload is no JSON object"))?;
        Ok(Notice { id: row.id, member_id: row.member_id, kind, payload, created_ms: row.created_ms })
    }

    /// Nothing was sent: no attempt is counted.
    fn dead(&mut self, row: &Claimed, error: &Error) {
        let reason = reason(error);
        tracing::error!(row = row.id, reason, "given up");
        self.shared.count(|counts| counts.dead += 1);
        self.endings.push(ending(row, Fate::Dead { code: None, reason, answered: false }));
    }

    /// Frozen messages take from the budget like others, and wait where it is spent.
    async fn repeat(&mut self, messages: Vec<Message>) -> Result<Vec<Message>> {
        let mut wanted = Vec::new();
        for message in &messages {
            let size = if message.rows.len() > 1 { Size::Many } else { Size::One };
            wanted.push(self.notifier.channels.shares(message.via, message.lead(), &message.recipients.now, size));
        }
        let granted = self.take(&wanted).await?;
        let mut ready = Vec::new();
        for ((message, shares), granted) in messages.into_iter().zip(wanted).zip(granted) {
            if self.is_closed(message.via) {
                self.endings.extend(message.endings(&Fate::back(CLOSED_MS)));
                self.untake(&message).await?;
            } else if granted.iter().all(|granted| *granted) {
                ready.push(message);
            } else {
                // The bytes name all of them: it goes out to all or to nobody.
                self.untake(&message).await?;
                let in_ms = self.free_in(&shares, &granted).await?;
                self.shared.count(|counts| counts.paced += message.rows.len() as u64);
                self.endings.extend(message.endings(&Fate::back(in_ms)));
            }
        }
        Ok(ready)
    }

    /// A message for each row whose recipients have budget left; who has none is told by a later one.
    async fn singles(&mut self, rows: Vec<InHand>) -> Result<Vec<Message>> {
        let mut single = Vec::new();
        for row in rows {
            let waits = self.options.digest.is_some() || self.piles.contains_key(&row.pile());
            match waits && !row.row.alone {
                true => self.piles.entry(row.pile()).or_default().push(row),
                false => single.push(row),
            }
        }
        let channels = &self.notifier.channels;
        let wanted: Vec<Vec<Share>> =
            single.iter().map(|row| channels.shares(row.via, row.row.id, &row.to, self.size)).collect();
        let granted = self.take(&wanted).await?;
        let mut messages = Vec::new();
        for ((row, shares), granted) in single.into_iter().zip(wanted).zip(granted) {
            let (now, later) = divided(&row.to, &granted);
            if !now.is_empty() {
                messages.extend(self.message(row, now, later));
            } else if row.row.alone {
                let in_ms = self.free_in(&shares, &granted).await?;
                self.waits(&[row], in_ms);
            } else {
                self.piles.entry(row.pile()).or_default().push(row);
            }
        }
        Ok(messages)
    }

    fn message(&mut self, row: InHand, now: Vec<Recipient>, later: Vec<Recipient>) -> Option<Message> {
        match self.notifier.book.body(&row.notice, &row.plan, row.via, &now) {
            Ok(body) => Some(Message {
                rows: vec![(row.row.id, row.row.lease.clone())],
                via: row.via,
                budget: self.notifier.channels.name(row.via),
                recipients: Recipients { now, later },
                body,
                attempts: row.row.attempts,
                max_attempts: row.row.max_attempts,
                repeated: false,
                fallback: row.plan.fallback.filter(|other| *other != row.via),
            }),
            Err(error) => {
                self.dead(&row.row, &error);
                None
            }
        }
    }

    /// The piles become messages that tell of many rows, as many messages as the budget has left.
    async fn flush(&mut self) -> Result<()> {
        let piles = std::mem::take(&mut self.piles);
        for mut rows in piles.into_values() {
            while let Some(via) = rows.first().map(|row| row.via) {
                let taken = self.digest(via, &rows).await?;
                rows.drain(..taken);
            }
        }
        Ok(())
    }

    /// One message of the first rows of a pile; tells how many of them are seen to.
    async fn digest(&mut self, via: Via, rows: &[InHand]) -> Result<usize> {
        let Some(first) = rows.first() else { return Ok(0) };
        if self.is_closed(via) {
            let back = |row: &InHand| row.ending(Fate::back(CLOSED_MS));
            self.endings.extend(rows.iter().map(back));
            return Ok(rows.len());
        }
        let shares = self.notifier.channels.shares(via, first.row.id, &first.to, Size::Many);
        let granted = self.take(std::slice::from_ref(&shares)).await?.pop().unwrap_or_default();
        let (now, later) = divided(&first.to, &granted);
        if now.is_empty() {
            let in_ms = self.free_in(&shares, &granted).await?;
            self.waits(rows, in_ms);
            return Ok(rows.len());
        }
        let [one] = rows else { return self.digest_of(via, rows, now, later).await };
        let message = self.message(one.clone(), now, later);
        let budget = self.notifier.channels.name(via);
        if message.is_none() {
            self.notifier.db.settle_notices(&[], &[(budget, one.row.id, Counted::Not)]).await?;
        }
        self.freeze_and_send(message.into_iter().collect()).await?;
        Ok(1)
    }

    async fn digest_of(
        &mut self,
        via: Via,
        rows: &[InHand],
        now: Vec<Recipient>,
        later: Vec<Recipient>,
    ) -> Result<usize> {
        let notices: Vec<&Notice> = rows.iter().map(|row| &row.notice).collect();
        let budget = self.notifier.channels.name(via);
        let (body, fits) = match self.notifier.book.digest(&notices, &rows[0].plan, via, &now) {
            Ok((body, fits)) => (body, fits.clamp(1, rows.len())),
            Err(error) => {
                self.notifier.db.settle_notices(&[], &[(budget, rows[0].row.id, Counted::Not)]).await?;
                self.dead(&rows[0].row, &error);
                return Ok(1);
            }
        };
        let told = &rows[..fits];
        let message = Message {
            rows: told.iter().map(|row| (row.row.id, row.row.lease.clone())).collect(),
            via,
            budget,
            recipients: Recipients { now, later },
            body,
            attempts: told.iter().map(|row| row.row.attempts).max().unwrap_or(0),
            max_attempts: told.iter().map(|row| row.row.max_attempts).min().unwrap_or(1),
            repeated: false,
            fallback: rows[0].plan.fallback.filter(|other| *other != via),
        };
        self.freeze_and_send(vec![message]).await?;
        Ok(fits)
    }

    /// Frozen and committed, then handed on: from here on it may have gone out.
    async fn freeze_and_send(&mut self, messages: Vec<Message>) -> Result<()> {
        self.give_back().await?;
        if messages.is_empty() {
            return Ok(());
        }
        let frozen: Vec<_> = messages.iter().map(Message::frozen).collect();
        let ours = self.notifier.db.freeze(&frozen).await?;
        for (message, ours) in messages.into_iter().zip(ours) {
            if !ours {
                tracing::debug!(row = message.lead(), "its lease was lost");
                self.untake(&message).await?;
            } else if self.ready.send(message).await.is_err() {
                break;
            }
        }
        Ok(())
    }

    async fn give_back(&mut self) -> Result<()> {
        let endings = std::mem::take(&mut self.endings);
        self.notifier.db.settle_notices(&endings, &[]).await.map(drop)
    }

    /// Rows wait for the pace.
    fn waits(&mut self, rows: &[InHand], in_ms: i64) {
        self.shared.waits(in_ms);
        self.shared.count(|counts| counts.paced += rows.len() as u64);
        self.endings.extend(rows.iter().map(|row| row.ending(Fate::back(in_ms))));
    }

    async fn untake(&self, message: &Message) -> Result<()> {
        let counted = (message.budget.clone(), message.lead(), Counted::Not);
        self.notifier.db.settle_notices(&[], &[counted]).await.map(drop)
    }

    async fn take(&self, wanted: &[Vec<Share>]) -> Result<Vec<Vec<bool>>> {
        let all: Vec<Share> = wanted.iter().flatten().cloned().collect();
        let mut granted = self.notifier.db.take_shares(&all).await?.into_iter();
        Ok(wanted.iter().map(|shares| granted.by_ref().take(shares.len()).collect()).collect())
    }

    async fn free_in(&self, shares: &[Share], granted: &[bool]) -> Result<i64> {
        let mut in_ms = 0;
        for (share, _) in shares.iter().zip(granted).filter(|(_, granted)| !**granted) {
            in_ms = in_ms.max(self.notifier.db.free_in_ms(share).await?);
        }
        Ok(in_ms)
    }
}

/// Who has budget, and who has not. A robot has one for all.
fn divided(to: &[Recipient], granted: &[bool]) -> (Vec<Recipient>, Vec<Recipient>) {
    if granted.len() != to.len() {
        return if granted.iter().all(|granted| *granted) { (to.to_vec(), vec![]) } else { (vec![], to.to_vec()) };
    }
    let mut divided = (Vec::new(), Vec::new());
    for (to, granted) in to.iter().zip(granted) {
        if *granted { divided.0.push(to.clone()) } else { divided.1.push(to.clone()) }
    }
    divided
}
