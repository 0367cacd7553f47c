//! `lease`: a lock by name that ends by itself. On the database's clock, so that hosts need not agree.

use super::value::stmt;
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

    /// Who holds a lock, as far as it is held.
    pub async fn holder(&self, name: &str) -> Result<Option<String>> {
        let sql = format!("SELECT who FROM lease WHERE name = ? AND until > {}", self.dialect.now_ms());
        self.row(&sql, vec![name.into()], |row| row.text(0)).await
    }

    /// Gives a lock back.
    pub async fn release(&self, lease: &Lease) -> Result<()> {
        let sql = "UPDATE lease SET until = 0 WHERE name = ? AND holder = ?".to_owned();
        self.commit(vec![on(sql, lease)]).await.map(drop)
    }
}

fn on(sql: String, lease: &Lease) -> Statement {
    stmt!(sql, lease.name.as_str(), lease.holder)
}
