//! `installation` and `account`: what this database is, and whose events it holds.

use super::value::stmt;
use super::{Store, time_now};
use crate::error::{Error, Result};
use crate::say;

impl Store {
    /// The key of the dedupe hash; drawn once an installation. `mark` is `sandbox` or `real`: a database
    /// of the one is refused to the other, so that invented people never stand among real ones.
    pub async fn installation(&self, mark: &str) -> Result<[u8; 32]> {
        // Looked for first: a verb that only reads should not queue for the write lock of a busy serve.
        let stored = match self.stored_installation().await? {
            Some(stored) => stored,
            None => {
                let key: [u8; 32] = rand::random();
                let sql = format!(
                    "{} INTO installation (id, mark, dedupe_hmac, created_at) VALUES (1, ?, ?, ?)",
                    self.dialect.insert_new()
                );
                self.commit(vec![stmt!(sql, mark, &key[..], time_now())]).await?;
                self.stored_installation().await?.ok_or_else(|| damaged("no row"))?
            }
        };
        let (stands, key) = stored;
        if stands != mark {
            return Err(Error::config(say!(
                "this database is marked {stands}, the platform configured is {mark}";
                "该数据库标记为 {stands}，而配置的平台是 {mark}"
            ))
            .next(say!(
                "use another DATABASE_URL: sandbox and real data are never mixed";
                "请使用另一个 DATABASE_URL：沙箱数据与真实数据不可混用"
            )));
        }
        key.try_into().map_err(|_| damaged("a key of the wrong length"))
    }

    /// Names this installation to others that keep its copies, such as a Redis that several share; tells nothing else.
    pub async fn installation_name(&self) -> Result<String> {
        let (_, key) = self.stored_installation().await?.ok_or_else(|| damaged("no row"))?;
        let digest = ring::digest::digest(&ring::digest::SHA256, &key);
        Ok(crate::domain::hex::hex(&digest.as_ref()[..6]))
    }

    async fn stored_installation(&self) -> Result<Option<(String, Vec<u8>)>> {
        let sql = "SELECT mark, dedupe_hmac FROM installation WHERE id = 1";
        self.row(sql, vec![], |row| Ok((row.text(0)?, row.bytes(1)?))).await
    }

    /// Enters an account; a name that belongs to another AppID already is refused.
    pub async fn enter_account(&self, name: &str, platform: &str, app_id: &str) -> Result<()> {
        let mut stands = self.stored_app_id(name).await?;
        if stands.is_none() {
            let sql = format!("{} INTO account (name, platform, appid) VALUES (?, ?, ?)", self.dialect.insert_new());
            self.commit(vec![stmt!(sql, name, platform, app_id)]).await?;
            stands = self.stored_app_id(name).await?;
        }
        match stands {
            Some(stands) if stands == app_id => Ok(()),
            Some(stands) if is_same(&stands, app_id) => {
                let sql = "UPDATE account SET appid = ? WHERE name = ? AND appid = ?";
                self.commit(vec![stmt!(sql, app_id, name, stands.as_str())]).await.map(drop)
            }
            stands => {
                let stands = stands.unwrap_or_default();
                Err(Error::config(say!(
                    "account {name} belongs to AppID {stands} in this database, the configuration says {app_id}";
                    "账号 {name} 在数据库中属于 AppID {stands}，而配置为 {app_id}"
                ))
                .next(say!(
                    "give the new AppID a new name, or use another database";
                    "请为新的 AppID 换一个名称，或使用另一个数据库"
                )))
            }
        }
    }

    async fn stored_app_id(&self, name: &str) -> Result<Option<String>> {
        self.row("SELECT appid FROM account WHERE name = ?", vec![name.into()], |row| row.text(0)).await
    }
}

/// Whether an account that is known as `stands` may be told as `now`: a WeCom application was entered before anybody
/// wrote its number down.
pub fn is_same(stands: &str, now: &str) -> bool {
    now.strip_prefix(stands).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
}

fn damaged(why: &str) -> Error {
    Error::failed(say!("the table installation is damaged: {why}"; "installation 表已损坏：{why}"))
        .next(say!("restore the database from a backup"; "请从备份恢复数据库"))
}
