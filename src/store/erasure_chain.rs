//! The chain of receipts in `erasure`: written by one at a time, in one order.

use super::erasure::{COLUMNS, erasure};
use super::value::{Statement, Value};
use super::{Erasure, Lease, Store};
use crate::error::Result;

/// A receipt in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// erasure.id
    pub id: i64,
    /// Its place, from 1.
    pub seq: i64,
    /// JSON, as it was hashed.
    pub receipt: String,
    /// SHA-256 of it, in hexadecimal.
    pub hash: String,
}

impl Store {
    /// Up to `limit` erasures that every store has confirmed and that have no receipt yet, oldest first.
    pub async fn erasures_to_seal(&self, limit: i64) -> Result<Vec<Erasure>> {
        let sql = format!("SELECT {COLUMNS} FROM erasure WHERE state = 'confirmed' ORDER BY id LIMIT ?");
        self.rows(&sql, vec![limit.into()], erasure).await
    }

    /// The end of the chain: the place and the hash of the last receipt.
    pub async fn last_link(&self) -> Result<Option<(i64, String)>> {
        let sql = "SELECT seq, hash FROM erasure WHERE seq IS NOT NULL ORDER BY seq DESC LIMIT 1";
        self.row(sql, vec![], |row| Ok((row.int(0)?, row.text(1)?))).await
    }

    /// Adds receipts to the chain; false where the lock was lost, and then nothing is written.
    pub async fn seal(&self, lease: &Lease, links: &[Link]) -> Result<bool> {
        let (first, held, holder) = self.fence(lease);
        let mut statements = vec![first];
        for link in links {
            let sql = format!(
                "UPDATE erasure SET state = 'sealed', seq = ?, receipt = ?, hash = ? WHERE id = ? AND state = 'confirmed' \
                 AND {held}"
            );
            let args: Vec<Value> =
                vec![link.seq.into(), link.receipt.as_str().into(), link.hash.as_str().into(), link.id.into()];
            statements.push(Statement { sql: sql.into(), args: [args, holder.clone()].concat() });
        }
        Ok(self.commit(statements).await?[0] == 1)
    }

    /// Up to `limit` sealed erasures behind a place of the chain, in its order.
    pub async fn sealed_after(&self, seq: i64, limit: i64) -> Result<Vec<Erasure>> {
        let sql = format!("SELECT {COLUMNS} FROM erasure WHERE seq > ? ORDER BY seq LIMIT ?");
        self.rows(&sql, vec![seq.into(), limit.into()], erasure).await
    }
}
