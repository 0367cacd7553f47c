//! `lease`: a lock by name that ends by itself. On the database's clock, so that hosts need not agree.

use super::value::{Value, stmt};
use super::{LEASE_MS, Statement, Store, lease_id};
use crate::error::Result;

/// A held lock. It ends after 30 s without [`Store::renew`]; give it back with [`Store::release`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    name: String,
    holder: i64,
}

impl Store {
    /// Takes a lock, or says that another holds it.
    pub async fn acquire(&self, name: &str, who: &str) -> Result<Option<Lease>> {
        let now = self.dialect.now_ms();
        let holder = lease_id();
        let bare = format!("{} INTO lease (name, holder, who, until) VALUES (?, 0, '', 0)", self.dialect.insert_new());
        let take = format!(
            "UPDATE lease SET holder = ?, who = ?, until = {now} + {LEASE_MS} WHERE name = ? AND until <= {now}"
        );
        let counts = self.commit(vec![stmt!(bare, name), stmt!(take, holder, who, name)]).await?;
        Ok((counts[1] == 1).then(|| Lease { name: name.to_owned(), holder }))
    }

    /// Holds a lock for another 30 s; false where it was lost meanwhile.
    pub async fn renew(&self, lease: &Lease) -> Result<bool> {
        let now = self.dialect.now_ms();
        let sql =
            format!("UPDATE lease SET until = {now} + {LEASE_MS} WHERE name = ? AND holder = ? AND until > {now}");
        Ok(self.commit(vec![on(sql, lease)]).await?[0] == 1)
    }

    /// Who has a lock or had it last; `None` where nobody ever had.
    pub async fn holder(&self, name: &str) -> Result<Option<Holder>> {
        let sql =
            format!("SELECT who, until, until - {} FROM lease WHERE name = ? AND who <> ''", self.dialect.now_ms());
        let holder = |row: &super::read::Row| {
            Ok(Holder { who: row.text(0)?, left_ms: if row.int(1)? == 0 { None } else { Some(row.int(2)?) } })
        };
        self.row(&sql, vec![name.into()], holder).await
    }

    /// Gives a lock back.
    pub async fn release(&self, lease: &Lease) -> Result<()> {
        self.commit(vec![Self::release_of(lease)]).await.map(drop)
    }

    /// The statement that gives a lock back, to ride with the last word of who held it.
    pub(super) fn release_of(lease: &Lease) -> Statement {
        on("UPDATE lease SET until = 0 WHERE name = ? AND holder = ?".to_owned(), lease)
    }
}

/// Who has a lock, or had it last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The process: its host and id.
    pub who: String,
    /// How long it holds the lock from now on without a further sign of life, milliseconds; negative: how long ago it
    /// lost it. `None`: it gave the lock back.
    pub left_ms: Option<i64>,
}

impl Store {
    /// A statement to begin a transaction with, and a condition with its arguments for each of the others: they
    /// change something only while the lock is held, and nobody else can take it before they are committed.
    pub(super) fn fence(&self, lease: &Lease) -> (Statement, String, Vec<Value>) {
        let now = self.dialect.now_ms();
        let renew =
            format!("UPDATE lease SET until = {now} + {LEASE_MS} WHERE name = ? AND holder = ? AND until > {now}");
        let held = format!("EXISTS (SELECT 1 FROM lease WHERE name = ? AND holder = ? AND until > {now})");
        (on(renew, lease), held, vec![lease.name.as_str().into(), lease.holder.into()])
    }
}

fn on(sql: String, lease: &Lease) -> Statement {
    stmt!(sql, lease.name.as_str(), lease.holder)
}
