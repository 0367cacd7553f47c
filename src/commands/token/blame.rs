//! `wxops token blame`.

use crate::app::App;
use crate::commands::{Context, accesses, time_json, time_local};
use crate::error::{Lang, Result, Text};
use crate::report::{Column, Row};
use crate::say;
use crate::store::PastToken;
use crate::tokens::{Verdict, verdicts};
use serde_json::json;

/// The latest generations that are looked at.
const LOOKED_AT: i64 = 1_000;

const COLUMNS: &[Column] = &[
    Column("account", "账号"),
    Column("gen", "代"),
    Column("stored", "存入时间"),
    Column("refused", "被拒时间"),
    Column("by", "拒绝方"),
    Column("verdict", "结论"),
];

/// Date each token that was refused, and say who replaced it
///
/// One of ours (a newer one was stored by then), its own end, a person who had
/// brought it, or another program that refreshes the same account.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops token blame --limit 10")]
pub struct Blame {
    /// How many refused tokens to show, the latest first
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
}

struct Blamed<'a> {
    account: &'a str,
    token: &'a PastToken,
    next: Option<&'a PastToken>,
    verdict: Verdict,
    lang: Lang,
}

impl Blame {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let app = App::open(context.config()?.clone()).await?;
        let (accounts, lang) = (accesses(&app.config)?, context.out.lang);
        let mut list = context.out.list(COLUMNS);
        for account in accounts {
            let past = app.store.past_tokens(&account.name, LOOKED_AT).await?;
            for (token, next, verdict) in verdicts(&past).into_iter().take(self.limit as usize) {
                list.row(&Blamed { account: &account.name, token, next, verdict, lang })?;
            }
        }
        list.end().map(drop)
    }
}

impl Blamed<'_> {
    /// Who it was, and what to do.
    fn words(&self) -> Text {
        let next = self.next.map(|next| (next.who.as_str(), next.source.as_str(), next.generation));
        let (who, source, generation) = next.unwrap_or(("-", "-", 0));
        match self.verdict {
            Verdict::Ours => say!(
                "ours: {who} had stored generation {generation} by then ({source})";
                "本系统：{who} 此前已存入第 {generation} 代（{source}）"
            ),
            Verdict::Ended => say!("its time was over"; "已到期"),
            Verdict::ByHand => say!("set by hand, its end was not known"; "手工设置，到期时间未知"),
            Verdict::ThirdParty => say!(
                "a third party: nothing of ours had replaced it; find that program, and let it read our token";
                "第三方：本系统并未更换它；请找出该程序，让它改为读取本系统的 token"
            ),
            Verdict::Platform => say!(
                "nobody: the platform refused it and still gave it out";
                "无人更换：平台拒绝了它，却仍返回同一个 token"
            ),
            Verdict::Open => say!("not known: no newer one has come since"; "未知：此后还没有新的 token"),
        }
    }
}

impl Row for Blamed<'_> {
    fn json(&self) -> serde_json::Value {
        let PastToken { generation, digest, source, who, stored_at, expires_at, refused, refusals } = self.token;
        let refused = refused.as_ref();
        json!({
            "account": self.account,
            "generation": generation.to_string(),
            "sha256": digest,
            "source": source,
            "who": who,
            "stored_at": time_json(stored_at.timestamp_millis()),
            "expires_at": expires_at.map(time_json),
            "refused_at": refused.map(|refused| time_json(refused.at.timestamp_millis())),
            "refused_by": refused.map(|refused| &refused.api),
            "errcode": refused.and_then(|refused| refused.code),
            "rid": refused.and_then(|refused| refused.rid.as_deref()),
            "told_by": refused.map(|refused| &refused.who),
            "refusals": refusals,
            "verdict": self.verdict.as_str(),
            "replaced_by": self.next.map(|next| json!({
                "generation": next.generation.to_string(),
                "source": next.source,
                "who": next.who,
                "stored_at": time_json(next.stored_at.timestamp_millis()),
            })),
        })
    }

    fn cells(&self) -> Vec<String> {
        let refused = self.token.refused.as_ref();
        let by = refused.map_or_else(String::new, |refused| match refused.code {
            Some(code) => format!("{} {code}", refused.api),
            None => refused.who.clone(),
        });
        vec![
            self.account.to_owned(),
            self.token.generation.to_string(),
            time_local(self.token.stored_at.timestamp_millis()),
            refused.map_or_else(String::new, |refused| time_local(refused.at.timestamp_millis())),
            by,
            self.words().in_lang(self.lang).to_owned(),
        ]
    }
}
