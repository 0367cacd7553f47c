//! `--verify`: how many follow on both sides, and whether a sample of people stands in the table as WeChat has them.

use super::ask::Asker;
use super::list::listed;
use super::place::Place;
use crate::error::{Error, Lang, Result};
use crate::platform::wechat::user::{BATCH, UserInfo};
use crate::report::Report;
use crate::say;
use crate::store::{Listed, Synced, Syncing};
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// People of the sample: half from WeChat's list, half from the table.
const SAMPLE: usize = 500;
/// Rows of the table taken at each of the places that are drawn.
const EACH: usize = 10;
/// What changed so shortly before may still be on its way to WeChat's count.
const MOMENT: TimeDelta = TimeDelta::minutes(10);

/// What was compared.
#[derive(Debug, Default)]
pub(super) struct Verified {
    account: String,
    /// How many follow, as WeChat counts them, and as the table knows.
    total: i64,
    following: i64,
    /// Rows that changed in the last minutes: by so many the counts may differ.
    moving: i64,
    sampled: u64,
    /// Of the sample: following without a row, with a row that is not as WeChat has it, and gone.
    missing: u64,
    differing: u64,
    gone: u64,
    failed: u64,
}

/// Compares; writes nothing.
pub(super) async fn verify(asker: &Asker, place: &Place) -> Result<Verified> {
    let store = &asker.app.store;
    let syncing = Syncing { account: asker.account.name.clone(), run: place.run, began: place.began };
    let page = asker.page(None).await?;
    let mut sample: BTreeSet<String> = BTreeSet::new();
    let step = (page.openids.len() / (SAMPLE / 2)).max(1);
    sample.extend(page.openids.into_iter().step_by(step).take(SAMPLE / 2));
    for _ in 0..SAMPLE / 2 / EACH {
        let from = rand::random_range(0..=place.last_id.max(0));
        sample.extend(store.following_from(&syncing.account, from, EACH).await?);
    }
    let sample: Vec<String> = sample.into_iter().collect();
    let mut done = Verified { account: syncing.account.clone(), total: page.total, ..Verified::default() };
    let mut tally = Synced::default();
    for batch in sample.chunks(BATCH) {
        let answer = asker.people(batch.to_vec()).await?;
        done.sampled += batch.len() as u64;
        done.failed += answer.failed.len() as u64;
        let (follow, left): (Vec<UserInfo>, Vec<UserInfo>) = answer.told.into_iter().partition(|info| info.subscribe);
        let people: Vec<Listed> = follow.into_iter().map(listed).collect();
        tally.add(store.sync_compare(&syncing, &people).await?);
        let left: Vec<String> = left.into_iter().map(|info| info.openid).collect();
        done.gone += store.sync_following(&syncing, &left).await?.unsigned_abs();
    }
    (done.missing, done.differing) = (tally.new, tally.updated + tally.returned);
    done.following = store.following(&syncing.account).await?;
    done.moving = store.sync_changed(&syncing.account, place.began - MOMENT).await?;
    Ok(done)
}

impl Verified {
    /// Exit 1 where the table differs by more than what is happening at this moment.
    pub fn judged(&self) -> Result<()> {
        let apart = (self.total - self.following).abs() > self.moving;
        let people = self.missing + self.differing + self.gone + self.failed;
        if !apart && people == 0 {
            return Ok(());
        }
        let Verified { account, total, following, sampled, .. } = self;
        Err(Error::failed(say!(
            "account {account}: WeChat counts {total} followers, the table {following}; of {sampled} people looked at \
             {people} differ";
            "账号 {account}：微信统计 {total} 名粉丝，表中 {following} 名；抽查 {sampled} 人，{people} 人不一致"
        ))
        .next(say!("run wxops followers sync"; "请运行 wxops followers sync")))
    }
}

impl Report for Verified {
    fn json(&self) -> Value {
        json!({
            "account": self.account,
            "total": self.total,
            "following": self.following,
            "moving": self.moving,
            "sampled": self.sampled,
            "missing": self.missing,
            "differing": self.differing,
            "gone": self.gone,
            "failed": self.failed,
        })
    }

    fn text(&self, lang: Lang) -> String {
        let Verified { account, total, following, moving, sampled, missing, differing, gone, failed } = self;
        say!(
            "{account}: {total} followers by WeChat's count, {following} in the table ({moving} changed just now); \
             of {sampled} people looked at {missing} are missing, {differing} differ, {gone} are gone, {failed} unknown to WeChat";
            "{account}：微信统计 {total} 名粉丝，表中 {following} 名（刚有 {moving} 名变动）；\
             抽查 {sampled} 人：缺失 {missing}，不一致 {differing}，已离开 {gone}，微信不认识 {failed}"
        )
        .in_lang(lang)
        .to_owned()
    }
}
