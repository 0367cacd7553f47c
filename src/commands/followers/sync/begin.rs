//! Before anybody is asked about: the first page, whether the day's quota suffices, and whether the list is of the
//! account that the table is of.

use super::Sync;
use super::ask::Asker;
use super::place::Place;
use crate::commands::budget::{self, Line};
use crate::error::{Error, Result};
use crate::platform::wechat::quota::{BATCHGET, USER_GET};
use crate::platform::wechat::user::Page;
use crate::say;
use crate::store::Syncing;
use std::collections::HashSet;

/// Rows looked for together.
const ROWS: usize = 500;

/// The page that the sync goes on with. Refuses (exit 69) what the day's quota does not suffice for, and (exit 78) a
/// list of another account.
pub(super) async fn first_page(
    verb: &Sync,
    asker: &Asker,
    syncing: &Syncing,
    place: &mut Place,
    seen: u64,
) -> Result<Page> {
    let (app, account) = (&*asker.app, &*asker.account);
    // Side by side: what is asked of the quota costs no time.
    let (page, pages_left, batches_left) = tokio::join!(
        asker.page(place.after.as_deref()),
        budget::left_of(app, account, USER_GET),
        budget::left_of(app, account, BATCHGET),
    );
    let page = page?;
    let people = page.total.unsigned_abs().saturating_sub(seen);
    let lines: Vec<Line> = budget::followers_sync(people)
        .into_iter()
        .filter_map(|(api, needed)| match api {
            // One of them is made.
            USER_GET => Some(Line { api, needed: needed.saturating_sub(1), left: pages_left }),
            // How many are asked about, the table will tell.
            _ if verb.only_missing => None,
            _ => Some(Line { api, needed, left: batches_left }),
        })
        .collect();
    budget::weigh(app, account, &lines, verb.spread)?;
    if !place.proven {
        prove(asker, syncing, &page).await?;
        place.proven = true;
    }
    Ok(page)
}

/// Somebody whom the table knows must be in the list. As a rule the first page tells; else the next ones are read for
/// this alone.
async fn prove(asker: &Asker, syncing: &Syncing, first: &Page) -> Result<()> {
    if knows(asker, syncing, &first.openids).await? {
        return Ok(());
    }
    let (mut after, mut cursors) = (first.next.clone(), HashSet::new());
    while let Some(cursor) = after.filter(|cursor| cursors.insert(cursor.clone())) {
        let page = asker.page(Some(&cursor)).await?;
        if knows(asker, syncing, &page.openids).await? {
            return Ok(());
        }
        after = page.next;
    }
    let account = &asker.account.name;
    Err(Error::config(say!(
        "nobody whom user_mapping knows as following account {account} is in WeChat's list: it is another account's";
        "微信列表中没有 user_mapping 已知的账号 {account} 的任何粉丝：这是另一个账号的列表"
    ))
    .next(say!(
        "compare app_id, secret and api_base of the account, and DATABASE_URL: one of them belongs elsewhere";
        "请核对该账号的 app_id、secret、api_base 与 DATABASE_URL：其中之一属于别处"
    )))
}

async fn knows(asker: &Asker, syncing: &Syncing, openids: &[String]) -> Result<bool> {
    for some in openids.chunks(ROWS) {
        if !asker.app.store.sync_rows(syncing, some).await?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}
