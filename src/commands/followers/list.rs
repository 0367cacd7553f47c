//! `wxops followers list`.

use super::where_filter::Where;
use crate::app::App;
use crate::commands::{Context, Since, account_filter, time_local};
use crate::error::Result;
use crate::report::{Column, Row};
use crate::store::{Follower, FollowerFilter};

/// Rows of one query; the list goes on until all are shown.
const PAGE: i64 = 500;

/// List people, oldest row first
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops followers list --followed --since 2h --json")]
pub struct List {
    /// Only those who follow now
    #[arg(long)]
    followed: bool,
    /// Only who followed since: 2h, 3d, 2026-11-01 or RFC 3339
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    since: Option<Since>,
    #[command(flatten)]
    narrow: Where,
    /// At most so many; all of them without it
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
}

const COLUMNS: &[Column] = &[
    Column("ACCOUNT", "账号"),
    Column("OPENID", "OPENID"),
    Column("NICKNAME", "昵称"),
    Column("FOLLOWS", "关注"),
    Column("FOLLOW TIME", "关注时间"),
    Column("SCENE", "场景"),
];

impl List {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let matching = self.narrow.filter(context)?;
        let app = App::open(context.config()?.clone()).await?;
        let mut filter = FollowerFilter {
            account: account_filter(&app.config)?,
            followed: self.followed.then_some(true),
            since: self.since.map(|since| since.at(app.now_ms())),
            matching,
            ..FollowerFilter::default()
        };
        if self.narrow.settle(context, &app, &filter).await? {
            return Ok(());
        }
        filter.last_id = Some(app.store.last_follower_id().await?);
        let mut left = self.limit.unwrap_or(u64::MAX);
        let mut after = 0;
        let mut list = context.out.list(COLUMNS);
        while left > 0 {
            let page = app.store.followers_page(&filter, after, PAGE.min(i64::try_from(left).unwrap_or(PAGE))).await?;
            let Some(last) = page.last() else { break };
            after = last.id;
            left -= page.len() as u64;
            page.iter().try_for_each(|row| list.row(row))?;
        }
        list.end().map(drop)
    }
}

impl Row for Follower {
    fn json(&self) -> serde_json::Value {
        super::show::json(self)
    }

    fn cells(&self) -> Vec<String> {
        vec![
            self.account.clone(),
            self.openid.clone(),
            self.nickname.clone().unwrap_or_default(),
            if self.is_followed { "yes" } else { "no" }.to_owned(),
            self.follow_time.map_or(String::new(), |time| time_local(time.timestamp_millis())),
            self.qr_scene.clone().unwrap_or_default(),
        ]
    }
}
