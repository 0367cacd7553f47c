//! The same on MySQL and MariaDB: many rows a statement, each of which asks again whether anything changed since.

use super::super::read::{Row, bind_mysql};
use super::super::value::{Value, places};
use super::super::{Statement, Store, lost, mysql};
use super::compare::{Verdict, columns, judged};
use super::{Listed, NEW, NEW_ROW, Note, SEEN, Synced, Syncing, Written, change, overtaken};
use crate::error::Result;
use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, Connection, MySqlConnection, MySqlPool};
use std::collections::HashMap;
use std::time::Instant;

/// Rows of one statement at the most.
const ROWS: usize = 500;

/// Writes people in one transaction. Where most are strangers, all are inserted without a look.
pub(super) async fn write(
    store: &Store,
    pool: &MySqlPool,
    syncing: &Syncing,
    (mut people, now): (Vec<Listed>, DateTime<Utc>),
    note: Note,
    strangers: bool,
) -> Result<Written> {
    let start = Instant::now();
    // In one order, so that this and the effects of events do not lock each other out.
    people.sort_unstable_by(|one, other| one.openid.cmp(&other.openid));
    let kept = |time: DateTime<Utc>| store.clock().map_or(time, |zone| zone.kept(time));
    for profile in people.iter_mut().filter_map(|person| person.profile.as_mut()) {
        profile.follow_time = profile.follow_time.map(kept);
    }
    let syncing = Syncing { began: kept(syncing.began), ..syncing.clone() };
    let rows = Rows { syncing: &syncing, now: kept(now), strangers };
    let mut tries = 0;
    loop {
        tries += 1;
        let mut db = pool.acquire().await.map_err(lost)?;
        match rows.transaction(&mut db, &people, &note).await {
            Ok(tally) => return Ok(Written { tally, held: start.elapsed() }),
            Err(sqlx::Error::RowNotFound) => return Err(overtaken()),
            Err(error) => {
                if matches!(error, sqlx::Error::Io(_)) {
                    // Nobody knows what is still to come on it.
                    db.close_on_drop();
                }
                if !mysql::again(&error, tries).await {
                    return Err(lost(error));
                }
            }
        }
    }
}

/// The rows of one transaction; times by the clock of the table.
struct Rows<'a> {
    syncing: &'a Syncing,
    now: DateTime<Utc>,
    strangers: bool,
}

impl Rows<'_> {
    async fn transaction(&self, db: &mut MySqlConnection, people: &[Listed], note: &Note) -> sqlx::Result<Synced> {
        let mut tx = db.begin().await?;
        let mut tally = Synced::default();
        for some in people.chunks(ROWS) {
            tally.add(self.write(&mut tx, some).await?);
        }
        let noted = run_one(&mut tx, note(&tally)).await?;
        if noted == 0 {
            return Err(sqlx::Error::RowNotFound);
        }
        tx.commit().await.map(|()| tally)
    }

    async fn write(&self, db: &mut MySqlConnection, people: &[Listed]) -> sqlx::Result<Synced> {
        let mut tally = Synced::default();
        if self.strangers {
            let told: Vec<&Listed> = people.iter().filter(|person| person.profile.is_some()).collect();
            tally.new = self.insert(db, &told).await?;
            tally.seen = tally.new;
            if told.len() == people.len() && tally.new == told.len() as u64 {
                return Ok(tally);
            }
        }
        let missing = self.update(db, people, &mut tally).await?;
        let new = self.insert(db, &missing).await?;
        (tally.new, tally.seen) = (tally.new + new, tally.seen + new);
        if new < missing.len() as u64 {
            // An event was faster: seen, and left alone.
            let openids = missing.iter().map(|person| person.openid.as_str()).collect::<Vec<_>>();
            let sql = format!(
                "UPDATE user_mapping SET seen_run = ?, updated_at = updated_at WHERE account = ? AND seen_run <> ? \
                 AND openid IN ({})",
                places(openids.len())
            );
            let (run, account) = (Value::Int(self.syncing.run), Value::from(self.syncing.account.as_str()));
            let args = [run.clone(), account, run].into_iter().chain(openids.into_iter().map(Value::from)).collect();
            let kept = run_one(db, Statement { sql: sql.into(), args }).await?;
            (tally.kept, tally.seen) = (tally.kept + kept, tally.seen + kept);
        }
        Ok(tally)
    }

    /// Changes the rows there are; tells who has none.
    async fn update<'p>(
        &self,
        db: &mut MySqlConnection,
        people: &'p [Listed],
        tally: &mut Synced,
    ) -> sqlx::Result<Vec<&'p Listed>> {
        let verdicts = self.look(db, people).await?;
        let (mut seen, mut changes, mut missing) = (Vec::new(), Vec::new(), Vec::new());
        for person in people {
            let Some((id, verdict)) = verdicts.get(person.openid.as_str()) else {
                missing.extend(person.profile.is_some().then_some(person));
                continue;
            };
            tally.count(*verdict, person.counts);
            match (verdict, &person.profile) {
                (Verdict::Twice, _) => {}
                (Verdict::Changed | Verdict::Returned, Some(told)) => {
                    changes.push(change(self.syncing, person.openid.clone(), told.clone(), self.now));
                }
                _ => seen.push(*id),
            }
        }
        self.mark(db, seen).await?;
        mysql::write_alike(db, changes.iter()).await?;
        Ok(missing)
    }

    /// What is to be done with each row there is; not with those that this transaction has made.
    async fn look(&self, db: &mut MySqlConnection, people: &[Listed]) -> sqlx::Result<HashMap<String, (i64, Verdict)>> {
        let size = people.len().next_multiple_of(100);
        let sql = format!("SELECT {} FROM user_mapping WHERE account = ? AND openid IN ({})", columns(), places(size));
        let query = sqlx::query(AssertSqlSafe(sql)).bind(self.syncing.account.as_str());
        let query = (0..size).fold(query, |query, at| query.bind(people[at.min(people.len() - 1)].openid.as_str()));
        let told: HashMap<&str, &Listed> = people.iter().map(|person| (person.openid.as_str(), person)).collect();
        let mut verdicts = HashMap::with_capacity(people.len());
        for row in query.fetch_all(db).await? {
            let (id, openid, verdict) = judged(&Row::MySql(&row, None), &told, self.syncing).map_err(undecoded)?;
            verdicts.insert(openid, (id, verdict));
        }
        Ok(verdicts)
    }

    /// Inserts who has no row; how many they were.
    async fn insert(&self, db: &mut MySqlConnection, people: &[&Listed]) -> sqlx::Result<u64> {
        if people.is_empty() {
            return Ok(0);
        }
        let rows = format!("{NEW_ROW}, ").repeat(people.len());
        let sql = format!("INSERT IGNORE INTO user_mapping ({NEW}) VALUES {}", rows.trim_end_matches(", "));
        let now = self.now.naive_utc();
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for person in people {
            let Some(told) = &person.profile else { continue };
            query = query
                .bind(self.syncing.account.as_str())
                .bind(person.openid.as_str())
                .bind(told.unionid.as_deref())
                .bind(told.nickname.as_deref())
                .bind(told.avatar_url.as_deref())
                .bind(told.sex)
                .bind(told.city.as_deref())
                .bind(told.province.as_deref())
                .bind(told.country.as_deref())
                .bind(told.language.as_deref())
                .bind(told.subscribe_scene.as_deref())
                .bind(told.remark.as_deref())
                .bind(told.follow_time.map(|time| time.naive_utc()))
                .bind(now)
                .bind(now)
                .bind(self.syncing.run);
        }
        Ok(query.execute(db).await?.rows_affected())
    }

    async fn mark(&self, db: &mut MySqlConnection, mut ids: Vec<i64>) -> sqlx::Result<()> {
        let Some(last) = ids.last().copied() else { return Ok(()) };
        ids.resize(ids.len().next_multiple_of(100), last);
        let sql = format!("{SEEN} IN ({})", places(ids.len()));
        let args = std::iter::once(self.syncing.run).chain(ids).map(Value::Int).collect();
        run_one(db, Statement { sql: sql.into(), args }).await.map(drop)
    }
}

async fn run_one(db: &mut MySqlConnection, statement: Statement) -> sqlx::Result<u64> {
    Ok(bind_mysql(&statement.sql, &statement.args).execute(db).await?.rows_affected())
}

fn undecoded(error: crate::error::Error) -> sqlx::Error {
    sqlx::Error::Decode(error.what.en.into())
}
