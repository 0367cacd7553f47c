//! Receipts. Each holds the hash of the one before, so that none can be changed, taken out or put in unnoticed; the
//! person stands in it as a keyed hash, so that it stays true when their openid is gone.

use crate::app::App;
use crate::domain::hex::hex;
use crate::error::Result;
use crate::store::{Erasure, Link};
use crate::tokens::this_process;
use chrono::{DateTime, SecondsFormat, Utc};
use ring::{digest, hmac};
use serde_json::{Value, json};

/// The lock of those who add to the chain.
const LOCK: &str = "erasure";
/// Receipts of one transaction.
const ROUND: i64 = 250;
/// Receipts of one query.
const PAGE: i64 = 500;

/// Gives receipts to what every store has confirmed; nothing where another process is at it.
pub(super) async fn seal(app: &App) -> Result<()> {
    if app.store.erasures_to_seal(1).await?.is_empty() {
        return Ok(());
    }
    let Some(lease) = app.store.acquire(LOCK, &this_process()).await? else { return Ok(()) };
    let sealed = async {
        let key = key(app).await?;
        // Read under the lock: whoever had it before has committed.
        let rows = app.store.erasures_to_seal(ROUND).await?;
        let (mut seq, mut last) = app.store.last_link().await?.map_or((0, None), |(seq, hash)| (seq, Some(hash)));
        let mut links = Vec::with_capacity(rows.len());
        for row in &rows {
            seq += 1;
            let receipt = receipt(&key, row, seq, last.as_deref(), Utc::now());
            let hash = sha256(&receipt);
            last = Some(hash.clone());
            links.push(Link { id: row.id, seq, receipt, hash });
        }
        app.store.seal(&lease, &links).await
    };
    let sealed = sealed.await;
    app.store.release(&lease).await?;
    if !sealed? {
        tracing::debug!("the lock of the receipts was lost; another process goes on");
    }
    Ok(())
}

fn receipt(key: &hmac::Key, row: &Erasure, seq: i64, previous: Option<&str>, now: DateTime<Utc>) -> String {
    let mut stores: Value = serde_json::from_str(&row.stores).unwrap_or_else(|_| json!({}));
    stores["database"] = time(&row.erased_at).into();
    json!({
        "version": 1,
        "seq": seq,
        "previous": previous,
        "account": row.account,
        "person": row.openid.as_deref().map(|openid| person(key, &row.account, openid)),
        "cause": row.cause,
        "note": row.note,
        "erased_to": time(&row.erased_to),
        "erased_at": time(&row.erased_at),
        "stores": stores,
        "sealed_at": time(&now),
    })
    .to_string()
}

fn time(time: &DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn sha256(text: &str) -> String {
    hex(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())
}

fn person(key: &hmac::Key, account: &str, openid: &str) -> String {
    // Neither holds a line break.
    hex(hmac::sign(key, format!("erasure\n{account}\n{openid}").as_bytes()).as_ref())
}

async fn key(app: &App) -> Result<hmac::Key> {
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &app.store.installation(app.mark()).await?))
}

/// What a look at the whole chain found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Receipts that fit.
    pub receipts: i64,
    /// The hash of the last of them: kept elsewhere, it also proves that nothing was cut off the end.
    pub last: Option<String>,
    /// The place of the first that does not fit, and why.
    pub broken: Option<(i64, &'static str)>,
}

/// Looks at every receipt.
pub async fn verify(app: &App) -> Result<Verified> {
    let key = key(app).await?;
    let mut found = Verified { receipts: 0, last: None, broken: None };
    loop {
        let page = app.store.sealed_after(found.receipts, PAGE).await?;
        if page.is_empty() {
            return Ok(found);
        }
        for row in &page {
            let Some(link) = &row.link else { continue };
            if let Some(why) = fault(&key, row, link, &found) {
                found.broken = Some((link.seq, why));
                return Ok(found);
            }
            found.receipts += 1;
            found.last = Some(link.hash.clone());
        }
    }
}

/// What is wrong with a receipt behind those that were found good.
fn fault(key: &hmac::Key, row: &Erasure, link: &Link, before: &Verified) -> Option<&'static str> {
    if link.seq != before.receipts + 1 {
        return Some("a receipt before it is missing");
    }
    if sha256(&link.receipt) != link.hash {
        return Some("it was changed");
    }
    let told: Value = serde_json::from_str(&link.receipt).unwrap_or_default();
    if told["previous"].as_str() != before.last.as_deref() || told["seq"] != link.seq {
        return Some("the one before it was changed");
    }
    let known = [
        (&told["account"], Some(row.account.clone())),
        (&told["cause"], Some(row.cause.clone())),
        (&told["note"], row.note.clone()),
        (&told["erased_to"], Some(time(&row.erased_to))),
        (&told["erased_at"], Some(time(&row.erased_at))),
    ];
    let other_person = row.openid.as_ref().is_some_and(|openid| told["person"] != person(key, &row.account, openid));
    if other_person || known.iter().any(|(told, stands)| told.as_str() != stands.as_deref()) {
        return Some("its row was changed");
    }
    None
}
