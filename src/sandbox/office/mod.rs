//! The corporation behind the apps of WeCom: who is in it, what reached them, and what did not
//! (WeCom reference 3, 4).

mod app;
pub mod directory;
mod inbox;
mod pace;
mod people;
mod sent;

use super::errcode::Refusal;
use app::App;
use directory::{Change, Directory, Standing};
use inbox::{Inbox, Message};
use people::{Counts, People};
use sent::Sent;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

pub use app::LONGEST_CHECK_MS;

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

/// Whom a message is for.
#[derive(Debug, PartialEq, Eq)]
pub enum To {
    /// `@all`: the members of all parties and tags, and everybody whom a message has named so far.
    Everybody,
    /// Userids, parties and tags as they were written.
    Some {
        /// Userids.
        users: Vec<String>,
        /// Ids of parties.
        parties: Vec<String>,
        /// Ids of tags.
        tags: Vec<String>,
    },
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

/// Recipients that could not be told. They are named in lower case.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Userids that are nobody's.
    pub users: Vec<String>,
    /// Parties that there are not.
    pub parties: Vec<String>,
    /// Tags that there are not.
    pub tags: Vec<String>,
    /// Userids without a licence.
    pub unlicensed: Vec<String>,
}

/// What a robot said.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct RobotCounts {
    /// Messages that its group received.
    pub received: u64,
    /// Messages that were refused for their number.
    pub refused: u64,
}

/// The counts as GET /sandbox/state shows them.
#[derive(Debug, Serialize)]
pub struct Shown {
    /// Messages of apps that were taken.
    pub accepted: u64,
    /// Requests that the duplicate check held back.
    pub repeats: u64,
    /// Messages that were taken back.
    pub recalled: u64,
    /// Received, dropped and suppressed by all people together.
    #[serde(flatten)]
    pub sum: Counts,
    /// The same of each person who was ever written to.
    pub people: BTreeMap<Arc<str>, Counts>,
    /// What each app used.
    pub apps: BTreeMap<String, AppShown>,
    /// The group robot.
    pub robot: RobotCounts,
    /// Who there is.
    pub directory: Directory,
}

/// What one app used.
#[derive(Debug, Serialize)]
pub struct AppShown {
    /// Messages that were taken.
    pub accepted: u64,
    /// Requests that the duplicate check held back.
    pub repeats: u64,
    /// Person-times of the Beijing day.
    pub person_times: u64,
    /// Those that the day has.
    pub person_times_limit: u64,
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
        let (people, left_out) = self.resolve(to);
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

    /// The counts; `accounts`: the apps there are.
    pub fn show<'a>(&self, accounts: impl Iterator<Item = &'a str>, now_ms: i64) -> Shown {
        let none = App::default();
        let apps: BTreeMap<_, _> = accounts
            .map(|name| {
                let app = self.apps.get(name).unwrap_or(&none);
                let (accepted, repeats, person_times) = (app.accepted, app.repeats, app.used(now_ms));
                let person_times_limit = app::limit(self.directory.heads);
                (name.to_owned(), AppShown { accepted, repeats, person_times, person_times_limit })
            })
            .collect();
        let (people, sum) = self.people.show();
        Shown {
            accepted: apps.values().map(|app| app.accepted).sum(),
            repeats: apps.values().map(|app| app.repeats).sum(),
            recalled: self.recalled,
            sum,
            people,
            apps,
            robot: self.robot,
            directory: self.directory(),
        }
    }

    /// The people a message is for, each once, and who is left out.
    fn resolve(&mut self, to: &To) -> (Vec<usize>, LeftOut) {
        let mut left_out = LeftOut::default();
        let mut names = BTreeSet::new();
        let (users, parties, tags) = match to {
            To::Some { users, parties, tags } => (users, parties, tags),
            To::Everybody => {
                let known = self.directory.known().map(|name| Arc::from(name.as_str()));
                names.extend(known.chain(self.people.names()).filter(|name| self.is_member(name)));
                let people = names.iter().filter_map(|name| self.people.number(name));
                return (people.collect(), left_out);
            }
        };
        for user in users {
            let name = user.to_ascii_lowercase();
            match self.directory.standing(&name) {
                Standing::Invalid => left_out.users.push(name),
                Standing::Unlicensed => left_out.unlicensed.push(name),
                Standing::Member => _ = names.insert(Arc::from(name)),
            }
        }
        for (ids, groups, missing) in [
            (parties, &self.directory.parties, &mut left_out.parties),
            (tags, &self.directory.tags, &mut left_out.tags),
        ] {
            for id in ids {
                match id.parse().ok().and_then(|id: u32| groups.get(&id)) {
                    Some(members) => {
                        let members = members.iter().filter(|name| self.is_member(name));
                        names.extend(members.map(|name| Arc::from(name.as_str())));
                    }
                    None => missing.push(id.clone()),
                }
            }
        }
        let mut people = Vec::with_capacity(names.len());
        for name in names {
            match self.people.number(&name) {
                Some(number) => people.push(number),
                None => left_out.users.push(name.to_string()),
            }
        }
        (people, left_out)
    }

    fn is_member(&self, name: &str) -> bool {
        self.directory.standing(name) == Standing::Member
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

impl LeftOut {
    /// As an answer names them.
    pub fn named(&self) -> Vec<(&'static str, String)> {
        let LeftOut { users, parties, tags, unlicensed } = self;
        let lists =
            [("invaliduser", users), ("invalidparty", parties), ("invalidtag", tags), ("unlicenseduser", unlicensed)];
        lists.into_iter().filter(|(_, ids)| !ids.is_empty()).map(|(name, ids)| (name, ids.join("|"))).collect()
    }
}
