//! The statements of one transaction: few shapes, many rows each.

use super::super::inbox::{AGAIN, Arrival, DEAD, Outcome, RAW_UNLESS_LEFT, Settled};
use super::super::read::bind_mysql;
use super::super::value::places;
use super::super::writer::End;
use super::super::{LEASE_MS, Statement, Value, lease_id};
use sqlx::{MySqlConnection, Row as _};
use std::collections::HashMap;

const NOW: &str = "CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)";

/// Inserts what is not there yet and tells which rows are new, by key. Keys are sorted, so that two
/// writers with the same keys wait for each other in one order. IGNORE swallows more than duplicates, so
/// every key is looked up before the COMMIT: one that is not there is an error, not a duplicate.
pub(super) async fn insert<'a>(
    db: &mut MySqlConnection,
    arrivals: &[&'a Arrival],
    lease: Option<i64>,
) -> sqlx::Result<HashMap<[u8; 32], (i64, &'a Arrival)>> {
    let mut sorted: Vec<&Arrival> = arrivals.to_vec();
    sorted.sort_by_key(|arrival| arrival.key);
    sorted.dedup_by_key(|arrival| arrival.key);
    // The stamp tells our rows from those that stood before, even where none is taken in hand.
    let stamp = lease.unwrap_or_else(lease_id);
    let until = if lease.is_some() { format!("{NOW} + {LEASE_MS}") } else { "0".to_owned() };
    for rows in powers_of_two(&sorted) {
        let row = format!("(?, 'official', ?, ?, ?, ?, 'new', ?, ?, {until}, ?, ?)");
        let sql = format!(
            "INSERT IGNORE INTO inbox_event (account, platform, dedupe_key, openid, kind, raw, state, due_at, lease, \
             lease_until, event_time, received_at) VALUES {}",
            vec![row; rows.len()].join(", ")
        );
        let args: Vec<Value> = rows.iter().flat_map(|arrival| values(arrival, stamp)).collect();
        bind_mysql(&sql, &args).execute(&mut *db).await?;
    }
    let mut new = HashMap::with_capacity(sorted.len());
    for keys in powers_of_two(&sorted) {
        let sql = format!("SELECT id, dedupe_key, lease FROM inbox_event WHERE dedupe_key IN ({})", places(keys.len()));
        let args: Vec<Value> = keys.iter().map(|arrival| Value::from(&arrival.key[..])).collect();
        let there = bind_mysql(&sql, &args).fetch_all(&mut *db).await?;
        if there.len() < keys.len() {
            return Err(sqlx::Error::Decode("INSERT IGNORE dropped a callback: a constraint refuses it".into()));
        }
        for row in there {
            if row.try_get::<Option<i64>, _>(2)? != Some(stamp) {
                continue;
            }
            let key: Vec<u8> = row.try_get(1)?;
            let first = arrivals.iter().find(|arrival| arrival.key[..] == key[..]);
            if let Some(first) = first {
                new.insert(first.key, (row.try_get(0)?, *first));
            }
        }
    }
    Ok(new)
}

fn values(arrival: &Arrival, lease: i64) -> [Value; 9] {
    [
        (&*arrival.account).into(),
        (&arrival.key[..]).into(),
        arrival.event.openid().into(),
        arrival.event.kind.as_str().into(),
        arrival.raw.as_str().into(),
        arrival.received.timestamp_millis().into(),
        lease.into(),
        arrival.happened.into(),
        arrival.received.into(),
    ]
}

/// Rows that are done first and together; where one of them is no longer ours, each alone.
pub(super) async fn settle(db: &mut MySqlConnection, rows: &[Settled], erase: bool) -> sqlx::Result<Vec<End>> {
    let mut ends = vec![End::NotOurs; rows.len()];
    let done: Vec<usize> = (0..rows.len()).filter(|at| matches!(rows[*at].outcome, Outcome::Done(_))).collect();
    for group in powers_of_two(&done) {
        let ids: Vec<Value> = group.iter().map(|at| Value::Int(rows[*at].id)).collect();
        let sql = format!(
            "SELECT id, lease FROM inbox_event WHERE id IN ({}) AND state = 'new' FOR UPDATE",
            places(ids.len())
        );
        let held: HashMap<i64, Option<i64>> = bind_mysql(&sql, &ids)
            .fetch_all(&mut *db)
            .await?
            .iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
            .collect::<sqlx::Result<_>>()?;
        let ours: Vec<&usize> =
            group.iter().filter(|at| held.get(&rows[**at].id) == Some(&Some(rows[**at].lease))).collect();
        for group in powers_of_two(&ours) {
            let raw = if erase { format!("raw = {RAW_UNLESS_LEFT}, ") } else { String::new() };
            let sql = format!(
                "UPDATE inbox_event SET {raw}state = 'done', lease = NULL, lease_until = 0 WHERE id IN ({})",
                places(group.len())
            );
            let ids: Vec<Value> = group.iter().map(|at| Value::Int(rows[**at].id)).collect();
            bind_mysql(&sql, &ids).execute(&mut *db).await?;
        }
        for at in ours {
            if let Outcome::Done(effects) = &rows[*at].outcome {
                execute(db, effects).await?;
            }
            ends[*at] = End::Settled;
        }
    }
    for (at, row) in rows.iter().enumerate() {
        let (sql, args) = match &row.outcome {
            Outcome::Done(_) => continue,
            Outcome::Again { due_at, error } => {
                (AGAIN, vec![(*due_at).into(), error.as_str().into(), row.id.into(), row.lease.into()])
            }
            Outcome::Dead { error } => (DEAD, vec![error.as_str().into(), row.id.into(), row.lease.into()]),
        };
        if bind_mysql(sql, &args).execute(&mut *db).await?.rows_affected() == 1 {
            ends[at] = End::Settled;
        }
    }
    Ok(ends)
}

pub(super) async fn execute(db: &mut MySqlConnection, statements: &[Statement]) -> sqlx::Result<Vec<u64>> {
    let mut counts = Vec::with_capacity(statements.len());
    for statement in statements {
        counts.push(bind_mysql(&statement.sql, &statement.args).execute(&mut *db).await?.rows_affected());
    }
    Ok(counts)
}

/// Runs of 64, 32, … 1: few shapes, so that the server prepares few statements.
fn powers_of_two<T>(items: &[T]) -> Vec<&[T]> {
    let mut runs = Vec::new();
    let mut rest = items;
    while !rest.is_empty() {
        let size = (1usize << rest.len().ilog2()).min(64);
        let (run, tail) = rest.split_at(size);
        runs.push(run);
        rest = tail;
    }
    runs
}
