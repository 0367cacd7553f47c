//! Taking rows of the queue in hand (WeCom reference 7.4): one UPDATE that repeats its condition, committed before anything
//! is sent, at READ COMMITTED, so that no registration waits for it. A row in hand is leased; whoever dies gives it back
//! by the end of its lease.

use super::super::value::{places, stmt};
use super::super::{Dialect, Store, Value};
use super::words::Words;
use crate::error::Result;
use rand::RngCore;

/// How long a row is in hand without a sign of life, milliseconds.
pub const LEASE_MS: i64 = 30_000;
/// A due time further ahead than any wait can be was written before the clock was set back, milliseconds.
const NEVER_THAT_LATE_MS: i64 = 90 * 60_000;
/// So many ids stand in one statement.
const IDS: usize = 500;

/// Who takes rows in hand: one run of a drain.
#[derive(Debug, Clone)]
pub struct Drain {
    run: String,
    who: String,
    skips: bool,
}

/// A row in hand.
#[derive(Debug, Clone, PartialEq)]
pub struct Claimed {
    /// Its number.
    pub id: i64,
    /// Whom it tells of.
    pub member_id: i64,
    /// `member_created` and the others.
    pub kind: String,
    /// The member as it was, JSON.
    pub payload: String,
    /// Answered sends.
    pub attempts: i64,
    /// So many, and the row is dead.
    pub max_attempts: i64,
    /// For which channel the body is, once it is frozen: `app` or `robot`.
    pub channel: Option<String>,
    /// Who is still to be told, once that is known, JSON.
    pub recipients: Option<String>,
    /// The request, once it is frozen.
    pub body: Option<String>,
    /// Whether it may stand in a message with others.
    pub alone: bool,
    /// The other rows that its frozen message tells of.
    pub others: Vec<i64>,
    /// Whether it may have gone out before.
    pub suspect: bool,
    /// When it was made, milliseconds since 1970.
    pub created_ms: i64,
    /// The lease that it is held by.
    pub lease: String,
}

impl Drain {
    /// A drain of this process; `skips` where the server can skip locked rows.
    fn new(who: &str, skips: bool) -> Drain {
        Drain { run: word(), who: who.chars().take(64).collect(), skips }
    }

    fn lease(&self) -> String {
        format!("{}{}", self.run, word())
    }
}

fn word() -> String {
    format!("{:016x}", rand::rng().next_u64())
}

impl Store {
    /// A run of a drain, by the name of its process.
    pub async fn drain(&self, who: &str) -> Result<Drain> {
        if self.dialect == Dialect::Sqlite {
            return Ok(Drain::new(who, false));
        }
        let version = self.row("SELECT VERSION()", vec![], |row| row.text(0)).await?;
        Ok(Drain::new(who, version.is_some_and(|version| skips_locked(&version))))
    }

    /// Takes up to `most` due rows in hand, the oldest first. Rows that another row's message tells of come with that one.
    pub async fn claim(&self, drain: &Drain, most: u32) -> Result<Vec<Claimed>> {
        let (words, lease) = (Words(self.dialect), drain.lease());
        let now = words.now();
        let skip = if drain.skips { " FOR UPDATE SKIP LOCKED" } else { "" };
        let due = format!(
            "SELECT id FROM member_notification_queue WHERE status = 'pending' AND available_at <= {now} \
             AND (digest_id IS NULL OR digest_id = 0 OR digest_id = id) ORDER BY available_at, id LIMIT {most}{skip}"
        );
        let still = format!("q.status = 'pending' AND q.available_at <= {now}");
        let claim = words.update_those(&due, &taking(words), &still);
        let who = drain.who.as_str();
        if self.commit(vec![stmt!(claim, lease.as_str(), who)]).await?[0] == 0 {
            return Ok(Vec::new());
        }
        let mut rows = self.in_hand(&lease).await?;
        let others: Vec<i64> = rows.iter().flat_map(|row| row.others.iter().copied()).collect();
        for ids in others.chunks(IDS) {
            let sql = format!(
                "UPDATE member_notification_queue AS q SET {} WHERE q.status = 'pending' AND q.id IN ({})",
                taking(words),
                places(ids.len())
            );
            let mut take = stmt!(sql, lease.as_str(), who);
            take.args.extend(ids.iter().map(|id| Value::Int(*id)));
            self.commit(vec![take]).await?;
        }
        // What was taken along is told of by the message that it stands in.
        rows.retain(|row| !others.contains(&row.id));
        Ok(rows)
    }

    async fn in_hand(&self, lease: &str) -> Result<Vec<Claimed>> {
        let words = Words(self.dialect);
        let (created, payload) = (words.stamp_ms("created_at"), words.json("payload"));
        let sql = format!(
            "SELECT id, member_id, notification_type, {payload}, attempts, max_attempts, channel, recipients, body, \
             digest_id, digest, suspect, {created} FROM member_notification_queue \
             WHERE status = 'processing' AND lease_token = ? ORDER BY id"
        );
        self.rows(&sql, vec![lease.into()], |row| {
            let id = row.int(0)?;
            let others: Vec<i64> =
                row.opt_text(10)?.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
            Ok(Claimed {
                id,
                member_id: row.int(1)?,
                kind: row.text(2)?,
                payload: row.text(3)?,
                attempts: row.int(4)?,
                max_attempts: row.int(5)?,
                channel: row.opt_text(6)?,
                recipients: row.opt_text(7)?,
                body: row.opt_text(8)?,
                alone: row.opt_int(9)? == Some(0),
                others: others.into_iter().filter(|other| *other != id).collect(),
                suspect: row.int(11)? != 0,
                created_ms: row.int(12)?,
                lease: lease.to_owned(),
            })
        })
        .await
    }

    /// Whether anything could be claimed: one look at an index.
    pub async fn is_due(&self) -> Result<bool> {
        let now = Words(self.dialect).now();
        let pending = format!(
            "SELECT 1 FROM member_notification_queue WHERE status = 'pending' AND available_at <= {now} LIMIT 1"
        );
        if self.row(&pending, vec![], |row| row.int(0)).await?.is_some() {
            return Ok(true);
        }
        let left = format!(
            "SELECT 1 FROM member_notification_queue WHERE status = 'processing' AND locked_until <= {now} LIMIT 1"
        );
        Ok(self.row(&left, vec![], |row| row.int(0)).await?.is_some())
    }

    /// How many are due, counted up to `most`.
    pub async fn due_up_to(&self, most: u32) -> Result<i64> {
        let now = Words(self.dialect).now();
        let sql = format!(
            "SELECT COUNT(*) FROM (SELECT 1 FROM member_notification_queue WHERE status = 'pending' \
             AND available_at <= {now} LIMIT {most}) AS due"
        );
        Ok(self.row(&sql, vec![], |row| row.int(0)).await?.unwrap_or(0))
    }

    /// For how long the oldest row that is due has waited since it was made, milliseconds; `None` where none is due.
    pub async fn oldest_due_ms(&self) -> Result<Option<i64>> {
        let words = Words(self.dialect);
        let (now, created, now_ms) = (words.now(), words.stamp_ms("created_at"), self.dialect.now_ms());
        let sql = format!(
            "SELECT {now_ms} - {created} FROM member_notification_queue WHERE status = 'pending' \
             AND available_at <= {now} ORDER BY available_at, id LIMIT 1"
        );
        self.row(&sql, vec![], |row| row.int(0)).await
    }

    /// Holds everything that this run has in hand for another 30 s.
    pub async fn hold_on(&self, drain: &Drain) -> Result<()> {
        let until = Words(self.dialect).after(LEASE_MS);
        let sql = format!(
            "UPDATE member_notification_queue SET locked_until = {until} WHERE status = 'processing' AND lease_token LIKE ?"
        );
        self.commit(vec![stmt!(sql, format!("{}%", drain.run))]).await.map(drop)
    }

    /// Gives back what the dead held: due at once, and where a message was frozen, it may have gone out. Also what only a
    /// clock that was set back makes wait: leases too long to be true, and due times that nobody has put off.
    pub async fn recover(&self) -> Result<u64> {
        let words = Words(self.dialect);
        let (now, stamp) = (words.now(), words.stamp());
        let (absurd, never) = (words.after(2 * LEASE_MS), words.after(NEVER_THAT_LATE_MS));
        let expired = format!(
            "UPDATE member_notification_queue SET status = 'pending', lease_token = NULL, locked_by = NULL, \
             locked_until = NULL, suspect = CASE WHEN body IS NULL THEN suspect ELSE 1 END, available_at = {now}, \
             updated_at = {stamp} WHERE status = 'processing' AND (locked_until <= {now} OR locked_until > {absurd})"
        );
        let early = format!(
            "UPDATE member_notification_queue SET available_at = {now} WHERE status = 'pending' AND available_at > {now} \
             AND (claims = 0 OR available_at > {never})"
        );
        Ok(self.commit(vec![stmt!(expired), stmt!(early)]).await?[0])
    }
}

/// The lease and its holder are the arguments.
fn taking(words: Words) -> String {
    let (until, stamp) = (words.after(LEASE_MS), words.stamp());
    format!(
        "status = 'processing', lease_token = ?, locked_by = ?, locked_until = {until}, claims = claims + 1, \
         updated_at = {stamp}"
    )
}

/// MySQL since 8.0.1 and MariaDB since 10.6 can skip rows that others have locked.
fn skips_locked(version: &str) -> bool {
    // Behind a proxy MariaDB calls itself 5.5.5-10.11.6-MariaDB.
    let version = version.strip_prefix("5.5.5-").unwrap_or(version);
    let mut numbers = version.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse::<u32>().unwrap_or(0));
    let numbers = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    numbers >= if version.to_ascii_lowercase().contains("mariadb") { (10, 6, 0) } else { (8, 0, 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_that_skip_locked_rows_are_known() {
        for version in [
            "8.0.1",
            "8.4.2-log",
            "10.6.0-MariaDB",
            "10.11.19-MariaDB-0+deb12u1",
            "5.5.5-10.11.6-MariaDB",
            "11.4.2-MariaDB",
        ] {
            assert!(skips_locked(version), "{version}");
        }
        for version in ["5.7.44", "8.0.0", "10.5.23-MariaDB", "5.5.5-10.4.8-MariaDB", ""] {
            assert!(!skips_locked(version), "{version}");
        }
    }
}
