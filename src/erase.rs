//! A person out of every store. SQL is the truth: one transaction erases there and writes a row of `erasure` that
//! names every other store of this installation; then each store is cleared and confirms, however long that takes.
//! When all have, the erasure gets a receipt, see [`chain`].

pub mod chain;
mod place;
mod work;

pub use place::{Place, places, stores};
pub use work::{settled, work};

use crate::app::App;
use crate::error::Result;
use crate::store::{Cause, Erasure, Known, Request, Statement, ToErase};
use chrono::{DateTime, Utc};

/// The row of an erasure whose other statements the caller has: an unsubscribe.
pub fn record(app: &App, account: &str, openid: &str, cause: Cause, to: DateTime<Utc>, now_ms: i64) -> Statement {
    let stores = stores(app);
    app.store.erasure_row(&ToErase { account, openid, cause, note: None, to, stores: &stores }, now_ms)
}

/// Everything that erases a person in SQL: an event.
pub fn effects(app: &App, account: &str, openid: &str, cause: Cause, to: DateTime<Utc>, now_ms: i64) -> Vec<Statement> {
    let stores = stores(app);
    app.store.erase(&ToErase { account, openid, cause, note: None, to, stores: &stores }, now_ms)
}

/// Why a person is erased by a verb.
#[derive(Debug, Clone, Copy)]
pub enum Why<'a> {
    /// An operator was told to, with their words.
    Told(Option<&'a str>),
    /// A row of user_delete_request, which is done with it.
    Asked(&'a Request),
}

/// Erases a person in SQL now, with whatever is known to have happened; says what the row of `erasure` became. A person
/// who is erased already is left alone, and their last erasure told.
pub async fn erase(app: &App, account: &str, openid: &str, known: &Known, why: Why<'_>) -> Result<Option<Erasure>> {
    let last = app.store.last_erasure(account, openid).await?;
    let again = !(known.is_erased() && last.is_some());
    let (cause, note) = match why {
        Why::Told(note) => (Cause::Forget, note),
        Why::Asked(_) => (Cause::Request, None),
    };
    let (now_ms, stores) = (app.now_ms(), stores(app));
    let mut statements = Vec::new();
    if again {
        let to = up_to(known, now_ms);
        statements = app.store.erase(&ToErase { account, openid, cause, note, to, stores: &stores }, now_ms);
    }
    if let Why::Asked(request) = why {
        statements.push(app.store.request_done(request));
    }
    if !statements.is_empty() {
        app.store.commit(statements).await?;
    }
    if again { app.store.last_erasure(account, openid).await } else { Ok(last) }
}

/// All that has happened: to the second that runs, since the platform's times are whole seconds and who follows in this
/// very second is asked about; and past whatever is known, since the platform's clock may be ahead of ours.
fn up_to(known: &Known, now_ms: i64) -> DateTime<Utc> {
    let now = DateTime::from_timestamp(now_ms.div_euclid(1000), 0).unwrap_or_default();
    let past = known.latest.map(|latest| latest + chrono::Duration::milliseconds(1));
    past.map_or(now, |past| past.max(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dated_ahead_is_erased_too() {
        let at = |ms: i64| DateTime::from_timestamp_millis(ms).unwrap_or_default();
        let known = |ms: i64| Known { latest: Some(at(ms)), ..Known::default() };
        assert_eq!(up_to(&Known::default(), 5_999), at(5_000), "in this second somebody may follow");
        assert_eq!(up_to(&known(1_000), 5_999), at(5_000));
        assert_eq!(up_to(&known(5_000), 5_999), at(5_001), "but what is known of it goes");
        assert_eq!(up_to(&known(9_000), 5_999), at(9_001), "the platform's clock is ahead");
    }
}
