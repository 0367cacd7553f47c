//! The statements of one transaction: few shapes, many rows each.

use super::super::follow::BARE_ROW;
use super::super::inbox::{AGAIN, Arrival, DEAD, ERASED, Outcome, Settled};
use super::super::read::bind_mysql;
use super::super::value::{person, places};
use super::super::writer::End;
use super::super::{LEASE_MS, Statement, Value, lease_id};
use super::numbered::{among, in_list, join, joins, spread};
use super::recent::Recent;
use sqlx::{AssertSqlSafe, MySqlConnection, Row as _};
use std::collections::{BTreeSet, HashMap, HashSet};

/// Rows of one statement at the most; each number of rows is a statement of its own, prepared once.
const ROWS: usize = 64;

const NOW: &str = "CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)";

/// Inserts what is not there yet and tells which rows are new, by key. What nobody acts on is done at once,
/// and blanked where its person is erased since: the look at every key sees an unsubscribe that is not yet
/// committed (the writers of callbacks read uncommitted rows), and one that comes later sees our row. Keys are
/// sorted, so that two writers with the same keys wait for each other in one order. IGNORE swallows more than
/// duplicates, so every row is looked for before the COMMIT: one that is not there is an error, not a duplicate.
pub(super) async fn insert<'a>(
    db: &mut MySqlConnection,
    arrivals: &[&'a Arrival],
    lease: Option<i64>,
    (erased, recent): (&str, &Recent),
) -> sqlx::Result<HashMap<[u8; 32], (i64, &'a Arrival)>> {
    let mut sorted: Vec<&Arrival> = arrivals.to_vec();
    sorted.sort_by_key(|arrival| arrival.key);
    sorted.dedup_by_key(|arrival| arrival.key);
    let repeated: Vec<&Arrival> = sorted.iter().filter(|arrival| recent.has(&arrival.key)).copied().collect();
    if !repeated.is_empty() {
        let known = known(db, &repeated).await?;
        sorted.retain(|arrival| !known.contains(&arrival.key));
    }
    // The stamp tells our rows from those that stood before, even where none is taken in hand.
    let stamp = lease.unwrap_or_else(lease_id);
    let until = if lease.is_some() { format!("{NOW} + {LEASE_MS}") } else { "0".to_owned() };
    let mut new = HashMap::with_capacity(sorted.len());
    let mut unsure: Vec<&Arrival> = Vec::new();
    for rows in sorted.chunks(ROWS) {
        let row = format!("(?, ?, ?, ?, ?, ?, ?, ?, ?, ({until}) * ?, ?, ?)");
        let sql = format!(
            "INSERT IGNORE INTO inbox_event (account, platform, dedupe_key, openid, kind, raw, state, due_at, lease, \
             lease_until, event_time, received_at) VALUES {}",
            vec![row; rows.len()].join(", ")
        );
        let query = rows.iter().fold(sqlx::query(AssertSqlSafe(sql)), |query, arrival| {
            query
                .bind(&*arrival.account)
                .bind(arrival.event.kind.platform().as_str())
                .bind(&arrival.key[..])
                .bind(arrival.event.openid())
                .bind(arrival.event.kind.as_str())
                .bind(arrival.raw.as_str())
                .bind(if arrival.acts { "new" } else { "done" })
                .bind(arrival.received.timestamp_millis())
                .bind(stamp)
                .bind(i64::from(arrival.acts))
                .bind(arrival.happened.naive_utc())
                .bind(arrival.received.naive_utc())
        });
        let inserted = query.execute(&mut *db).await?;
        let all = inserted.rows_affected() == rows.len() as u64;
        match i64::try_from(inserted.last_insert_id()) {
            Ok(first) if all && are_ours(db, first, rows.len(), (stamp, erased)).await? => {
                new.extend((first..).zip(rows).map(|(id, arrival)| (arrival.key, (id, *arrival))));
            }
            _ => unsure.extend(rows),
        }
    }
    look_up(db, &unsure, (stamp, erased), &mut new).await?;
    Ok(new)
}

/// Which of these keys are in the table. Locking: what another process has not committed yet is waited for.
async fn known(db: &mut MySqlConnection, repeated: &[&Arrival]) -> sqlx::Result<HashSet<[u8; 32]>> {
    let mut known = HashSet::with_capacity(repeated.len());
    for rows in repeated.chunks(ROWS) {
        let size = rows.len().next_power_of_two();
        let sql =
            format!("SELECT dedupe_key FROM inbox_event WHERE dedupe_key IN ({}) LOCK IN SHARE MODE", places(size));
        let query = (0..size)
            .fold(sqlx::query(AssertSqlSafe(sql)), |query, at| query.bind(&rows[at.min(rows.len() - 1)].key[..]));
        for row in query.fetch_all(&mut *db).await? {
            known.extend(<[u8; 32]>::try_from(row.try_get::<&[u8], _>(0)?).ok());
        }
    }
    Ok(known)
}

/// Adds to `new` those of `unsure` that carry our stamp, and blanks what is about somebody who is erased since.
async fn look_up<'a>(
    db: &mut MySqlConnection,
    unsure: &[&'a Arrival],
    (stamp, erased): (i64, &str),
    new: &mut HashMap<[u8; 32], (i64, &'a Arrival)>,
) -> sqlx::Result<()> {
    let by_key: HashMap<&[u8], &Arrival> = unsure.iter().map(|arrival| (&arrival.key[..], *arrival)).collect();
    let mut blank = Vec::new();
    for rows in unsure.chunks(ROWS) {
        let size = rows.len().next_power_of_two();
        let sql = format!(
            "SELECT id, dedupe_key, lease, state = 'done' AND {erased} FROM inbox_event WHERE dedupe_key IN ({})",
            places(size)
        );
        let query = (0..size)
            .fold(sqlx::query(AssertSqlSafe(sql)), |query, at| query.bind(&rows[at.min(rows.len() - 1)].key[..]));
        let there = query.fetch_all(&mut *db).await?;
        if there.len() < rows.len() {
            return Err(sqlx::Error::Decode("INSERT IGNORE dropped a callback: a constraint refuses it".into()));
        }
        for row in there {
            if row.try_get::<Option<i64>, _>(2)? != Some(stamp) {
                continue;
            }
            let key: &[u8] = row.try_get(1)?;
            if let Some(first) = by_key.get(key) {
                new.insert(first.key, (row.try_get(0)?, *first));
            }
            if row.try_get::<i64, _>(3)? == 1 {
                blank.push(row.try_get::<i64, _>(0)?);
            }
        }
    }
    for ids in blank.chunks(ROWS) {
        let ids = padded(ids.iter().copied());
        let sql = format!("UPDATE inbox_event SET raw = NULL WHERE id IN ({})", places(ids.len()));
        bind_mysql(&sql, &ids).execute(&mut *db).await?;
    }
    Ok(())
}

/// Whether `count` rows from `first` on are those just inserted, one id after the other, and none of them is about
/// somebody who is erased since. One statement for batches of every size; where it says no, each key is looked up.
async fn are_ours(
    db: &mut MySqlConnection,
    first: i64,
    count: usize,
    (stamp, erased): (i64, &str),
) -> sqlx::Result<bool> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let sql = format!(
        "SELECT COUNT(*), CAST(COALESCE(SUM(state = 'done' AND {erased}), 0) AS SIGNED) FROM inbox_event \
         WHERE id BETWEEN ? AND ? AND lease = ?"
    );
    let row = bind_mysql(&sql, &[Value::Int(first), Value::Int(first + count - 1), Value::Int(stamp)]);
    let row = row.fetch_one(db).await?;
    Ok(row.try_get::<i64, _>(0)? == count && row.try_get::<i64, _>(1)? == 0)
}

/// Rows that are done together, then their effects; each of the others alone.
pub(super) async fn settle(db: &mut MySqlConnection, rows: &[&Settled], erased: &str) -> sqlx::Result<Vec<End>> {
    let mut ends = vec![End::NotOurs; rows.len()];
    let mut done: Vec<usize> = (0..rows.len()).filter(|at| rows[*at].effects().is_some()).collect();
    // Rows are locked in one order, whoever settles.
    done.sort_by_key(|at| rows[*at].id);
    for group in done.chunks(ROWS) {
        let ours = mark_done(db, rows, group, erased).await?;
        match group.len() {
            all if ours == all => group.iter().for_each(|at| ends[*at] = End::Settled),
            1 => {}
            // Some of them are another's by now: which, each alone will tell.
            _ => return Err(sqlx::Error::Decode("not every row of the batch is held".into())),
        }
    }
    let settled = rows.iter().zip(&ends).filter(|(_, end)| **end == End::Settled);
    write_effects(db, settled.filter_map(|(row, _)| row.effects()).collect()).await?;
    for (at, row) in rows.iter().enumerate() {
        let (sql, args): (String, Vec<Value>) = match &row.outcome {
            Outcome::Done(_) => continue,
            Outcome::Again { due_at, error } => {
                (AGAIN.into(), vec![(*due_at).into(), error.as_str().into(), row.id.into(), row.lease.into()])
            }
            Outcome::Dead { error } => {
                (DEAD.replace(ERASED, erased), vec![error.as_str().into(), row.id.into(), row.lease.into()])
            }
        };
        if bind_mysql(&sql, &args).execute(&mut *db).await?.rows_affected() == 1 {
            ends[at] = End::Settled;
        }
    }
    Ok(ends)
}

/// Ends the rows of a group that are still held under their leases, and tells how many they were.
async fn mark_done(db: &mut MySqlConnection, rows: &[&Settled], group: &[usize], erased: &str) -> sqlx::Result<usize> {
    let ids = padded(group.iter().map(|at| rows[*at].id));
    // A lease is drawn for a batch of arrivals: no other row of the group has it by chance.
    let leases = padded(group.iter().map(|at| rows[*at].lease).collect::<BTreeSet<_>>().into_iter());
    let sql = format!(
        "UPDATE inbox_event SET raw = CASE WHEN {erased} THEN NULL ELSE raw END, state = 'done', lease = NULL, lease_until = 0 WHERE id IN ({}) AND lease IN ({}) \
         AND state = 'new'",
        places(ids.len()),
        places(leases.len())
    );
    let done = bind_mysql(&sql, &[ids, leases].concat()).execute(db).await?;
    Ok(usize::try_from(done.rows_affected()).unwrap_or(usize::MAX))
}

/// Numbers for an IN, the last one repeated up to a power of two: the texts of statements are few, and
/// each is prepared once.
fn padded(numbers: impl ExactSizeIterator<Item = i64>) -> Vec<Value> {
    let size = numbers.len().next_power_of_two();
    let mut values: Vec<Value> = numbers.map(Value::Int).collect();
    if let Some(last) = values.last().cloned() {
        values.resize(size, last);
    }
    values
}

/// Effects of a batch, person by person in one order, so that several processes do not lock each other
/// out; the bare rows that they begin with go in together.
async fn write_effects(db: &mut MySqlConnection, mut effects: Vec<&[Statement]>) -> sqlx::Result<()> {
    effects.sort_by(|one, other| about(one).cmp(&about(other)));
    let mut bare: Vec<&Statement> =
        effects.iter().filter_map(|effects| effects.first()).filter(|first| is_bare(first)).collect();
    bare.dedup_by(|next, kept| next.args[..2] == kept.args[..2]);
    let strangers = strangers(db, &bare).await?;
    for rows in strangers.chunks(ROWS) {
        let sql = format!("{}{}", rows[0].sql, format!(", {BARE_ROW}").repeat(rows.len() - 1));
        let args: Vec<Value> = rows.iter().flat_map(|row| row.args.iter().cloned()).collect();
        bind_mysql(&sql, &args).execute(&mut *db).await?;
    }
    for turn in turns(effects) {
        let longest = turn.iter().map(|effects| effects.len()).max().unwrap_or_default();
        for at in 0..longest {
            write_alike(db, turn.iter().filter_map(|effects| effects.get(at)).filter(|one| !is_bare(one))).await?;
        }
    }
    Ok(())
}

/// Those of whom there is no row yet, as far as this connection sees: most are known, and a row that is inserted
/// in vain costs the database more than all else that an event changes.
async fn strangers<'a>(db: &mut MySqlConnection, bare: &[&'a Statement]) -> sqlx::Result<Vec<&'a Statement>> {
    let mut strangers = Vec::new();
    for of_account in bare.chunk_by(|one, other| one.args[0] == other.args[0]) {
        for rows in of_account.chunks(ROWS) {
            let size = rows.len().next_power_of_two();
            let sql = format!("SELECT openid FROM user_mapping WHERE account = ? AND openid IN ({})", places(size));
            let openids = (0..size).map(|at| rows[at.min(rows.len() - 1)].args[1].clone());
            let args: Vec<Value> = std::iter::once(rows[0].args[0].clone()).chain(openids).collect();
            let known = bind_mysql(&sql, &args).fetch_all(&mut *db).await?;
            let known: HashSet<String> = known.iter().map(|row| row.try_get(0)).collect::<sqlx::Result<_>>()?;
            let is_known = |row: &&&Statement| person(&row.args).is_some_and(|(_, openid)| known.contains(openid));
            strangers.extend(rows.iter().filter(|row| !is_known(row)).copied());
        }
    }
    Ok(strangers)
}

/// Whom the effects of an event are about.
fn about(effects: &[Statement]) -> Option<(&str, &str)> {
    effects.first().and_then(|first| person(&first.args))
}

/// Everybody's first effects, then the second ones of those who have more in this batch, and so on.
fn turns(effects: Vec<&[Statement]>) -> Vec<Vec<&[Statement]>> {
    let mut turns: Vec<Vec<&[Statement]>> = Vec::new();
    let (mut last, mut turn) = (None, 0);
    for effects in effects {
        let person = about(effects);
        turn = if person.is_some() && person == last { turn + 1 } else { 0 };
        last = person;
        if turns.len() == turn {
            turns.push(Vec::new());
        }
        turns[turn].push(effects);
    }
    turns
}

/// Statements about different people: those of one text together.
pub(in crate::store) async fn write_alike<'a>(
    db: &mut MySqlConnection,
    statements: impl Iterator<Item = &'a Statement>,
) -> sqlx::Result<()> {
    let statements: Vec<&Statement> = statements.collect();
    for of_one_text in grouped(&statements, |one, other| one.sql == other.sql) {
        if let Some(row) = new_row(&of_one_text[0].sql) {
            for rows in of_one_text.chunks(ROWS) {
                let sql = format!("{}{}", rows[0].sql, format!(", {row}").repeat(rows.len() - 1));
                let args: Vec<Value> = rows.iter().flat_map(|row| row.args.iter().cloned()).collect();
                bind_mysql(&sql, &args).execute(&mut *db).await?;
            }
            continue;
        }
        let parts = grouped(&of_one_text, among);
        // A join over a table of arguments costs each row about three times what a list of openids does.
        if joins(&of_one_text[0].sql) && of_one_text.len() > 1 && parts.len() * 3 > of_one_text.len() {
            let (sql, rows) = join(&of_one_text);
            sqlx::query(AssertSqlSafe(sql)).bind(rows).execute(&mut *db).await?;
            continue;
        }
        for part in parts {
            match part[..] {
                [one] => drop(execute(db, std::slice::from_ref(one)).await?),
                _ => {
                    let (sql, args) = in_list(&part);
                    bind_mysql(&sql, &args).execute(&mut *db).await?;
                }
            }
        }
    }
    Ok(())
}

/// The values of an INSERT of one row: those of many rows go into one statement.
fn new_row(sql: &str) -> Option<&str> {
    sql.starts_with("INSERT INTO ").then(|| sql.rsplit_once(" VALUES ")).flatten().map(|(_, row)| row)
}

fn grouped<'a>(all: &[&'a Statement], alike: impl Fn(&Statement, &Statement) -> bool) -> Vec<Vec<&'a Statement>> {
    let mut groups: Vec<Vec<&Statement>> = Vec::new();
    for statement in all {
        match groups.iter_mut().find(|group| alike(group[0], statement)) {
            Some(group) => group.push(statement),
            None => groups.push(vec![statement]),
        }
    }
    groups
}

fn is_bare(statement: &Statement) -> bool {
    statement.sql.starts_with("INSERT IGNORE ") && statement.sql.ends_with(BARE_ROW)
}

pub(super) async fn execute(db: &mut MySqlConnection, statements: &[Statement]) -> sqlx::Result<Vec<u64>> {
    let mut counts = Vec::with_capacity(statements.len());
    for statement in statements {
        let (sql, args) = spread(statement);
        counts.push(bind_mysql(&sql, &args).execute(&mut *db).await?.rows_affected());
    }
    Ok(counts)
}
