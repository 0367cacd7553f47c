//! The corporation behind the apps of WeCom: who is in it, what reached them, and what did not
//! (WeCom reference 3, 4).

mod app;
pub mod directory;
mod inbox;
mod pace;
mod people;
mod recipients;
mod sent;
mod shown;

use super::errcode::Refusal;
use app::App;
use directory::{Change, Directory};
use inbox::{Inbox, Message};
use people::{Counts, People};
use recipients::resolve;
use sent::Sent;
use serde::Serialize;
use std::collections::HashMap;
use std::sync::Arc;

pub use app::LONGEST_CHECK_MS;
pub use recipients::{LeftOut, To};
pub use shown::Shown;

/// The corporation.
#[derive(Debug)]
pub struct Office {
    directory: Directory,
    apps: HashMap<String, App>,
    people: People,
    inbox: Inbox,
    sent: Sent,
    recalled: u64,
    robot: RobotCounts,
}

/// What is said: the kind of message, its text as it arrives.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// msgtype.
    pub msgtype: String,
    /// Its text, or the JSON of what has no text.
    pub content: String,
    /// The platform cut it.
    pub cut: bool,
    /// A card's task id.
    pub task_id: Option<String>,
    /// A card that calls back.
    pub interactive: bool,
}

/// A message that an app sends.
#[derive(Debug)]
pub struct Order<'a> {
    /// The app.
    pub account: &'a str,
    /// Whom it is for.
    pub to: &'a To,
    /// What it says.
    pub said: Said,
    /// The bytes of the request.
    pub body: &'a [u8],
    /// Not again within this time.
    pub check_ms: Option<i64>,
    /// The sandbox's clock.
    pub now_ms: i64,
    /// Arrival by the machine's clock.
    pub at_ms: i64,
}

/// What an app is answered.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// The message's id.
    pub msgid: String,
    /// Who was left out.
    pub left_out: LeftOut,
}

/// What a robot said.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct RobotCounts {
    /// Messages that its group received.
    pub received: u64,
    /// Messages that were refused for their number.
    pub refused: u64,
}

impl Office {
    /// A corporation to which nothing was said yet.
    pub fn new(seed: u64, directory: Directory) -> Self {
        Office {
            directory,
            apps: HashMap::new(),
            people: People::default(),
            inbox: Inbox::default(),
            sent: Sent::new(seed),
            recalled: 0,
            robot: RobotCounts::default(),
        }
    }

    /// Takes a message: 81013 where nobody is left to tell, 45009 beyond the day's person-times, 42014 for a
    /// task id that was there before. What the duplicate check or the frequency limit keeps back is answered
    /// as if it had arrived.
    pub fn take(&mut self, order: Order) -> Result<Taken, Refusal> {
        let Order { account, to, said, body, check_ms, now_ms, at_ms } = order;
        let (people, left_out) = resolve(to, &self.directory, &mut self.people);
        if people.is_empty() {
            return Err(Refusal { lists: left_out.named(), ..Refusal::of(81013) });
        }
        let app = self.apps.entry(account.to_owned()).or_default();
        if let Some(number) = check_ms.and_then(|within_ms| app.said(body, within_ms, now_ms)) {
            app.repeats += 1;
            self.add(&people, |counts| counts.suppressed += 1);
            return Ok(Taken { msgid: self.sent.msgid(number), left_out });
        }
        if said.task_id.as_ref().is_some_and(|task_id| !app.is_new_task(task_id)) {
            return Err(Refusal::of(42014));
        }
        app.spend(people.len() as u64, self.directory.heads, now_ms)?;
        said.task_id.into_iter().for_each(|task_id| app.take_task(task_id));
        app.accepted += 1;
        let (reached, dropped): (Vec<_>, Vec<_>) = people.iter().partition(|person| app.reaches(**person, now_ms));
        let number = self.sent.add(account.into(), now_ms);
        if check_ms.is_some() {
            app.remember(body, number, now_ms);
        }
        let msgid = self.sent.msgid(number);
        self.add(&dropped, |counts| counts.dropped += 1);
        let told = self.add(&reached, |counts| counts.received += 1);
        let message = Message {
            number: Some(number),
            msgid: Some(msgid.clone()),
            account: Some(account.to_owned()),
            msgtype: said.msgtype,
            content: said.content,
            cut: said.cut,
            at_ms,
            clock: now_ms.div_euclid(1000),
        };
        self.inbox.put(message, told);
        Ok(Taken { msgid, left_out })
    }

    /// Takes a message back.
    pub fn recall(&mut self, msgid: &str, account: &str, now_ms: i64) -> Result<(), Refusal> {
        let number = self.sent.find(msgid, account, now_ms)?;
        self.inbox.recall(number);
        self.recalled += 1;
        Ok(())
    }

    /// What a robot said in its group, or that it was refused for its number.
    pub fn robot(&mut self, said: Option<Said>, now_ms: i64, at_ms: i64) {
        let Some(Said { msgtype, content, cut, .. }) = said else {
            self.robot.refused += 1;
            return;
        };
        self.robot.received += 1;
        let (number, msgid, account) = (None, None, None);
        let clock = now_ms.div_euclid(1000);
        self.inbox.put(Message { number, msgid, account, msgtype, content, cut, at_ms, clock }, Vec::new());
    }

    /// Takes a change of who there is.
    pub fn change(&mut self, change: Change) {
        self.directory.change(change);
    }

    /// Who there is.
    pub fn directory(&self) -> Directory {
        self.directory.clone()
    }

    /// What arrived, as NDJSON.
    pub fn ndjson(&self, after: u64, userid: Option<&str>) -> String {
        self.inbox.ndjson(after, userid)
    }

    /// Adds to the counts of these people; their userids.
    fn add(&mut self, people: &[usize], count: impl Fn(&mut Counts)) -> Vec<Arc<str>> {
        let mut names = Vec::with_capacity(people.len());
        for number in people {
            if let Some((name, counts)) = self.people.person(*number) {
                count(counts);
                names.push(name.clone());
            }
        }
        names
    }
}
