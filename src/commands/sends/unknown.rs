//! `wxops sends unknown`.

use crate::app::App;
use crate::commands::events::delivery;
use crate::commands::{Context, account_filter, time_local};
use crate::error::{Error, Kind, Result};
use crate::report::{Column, Row};
use crate::say;
use crate::store::DeliveryRow;

/// Rows of one query.
const PAGE: i64 = 500;

/// List every send whose outcome is not known
///
/// These are deliveries to hooks that may or may not have arrived, and that
/// are not repeated by themselves. Exit 4 where there is one: look at the
/// receiver, then say that it arrived (--delivered), or send it again (wxops
/// events replay ID --hook NAME).
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops sends unknown")]
pub struct Unknown {
    /// It arrived: the SEND of a row, as a person found out
    #[arg(long, value_name = "SEND")]
    delivered: Vec<i64>,
}

const COLUMNS: &[Column] = &[
    Column("SEND", "投递"),
    Column("SINCE", "时间"),
    Column("HOOK", "HOOK"),
    Column("EVENT", "事件"),
    Column("KIND", "类型"),
    Column("ACCOUNT", "账号"),
    Column("TRIES", "次数"),
    Column("ERROR", "错误"),
];

impl Unknown {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let app = App::open(context.config()?.clone()).await?;
        for id in &self.delivered {
            if !app.store.resolve_delivery(*id, app.now_ms()).await? {
                return Err(Error::failed(say!(
                    "send {id} is none whose outcome is unknown";
                    "投递 {id} 不是结果未知的投递"
                ))
                .next(say!("see wxops sends unknown"; "请查看 wxops sends unknown")));
            }
        }
        let account = account_filter(&app.config)?;
        let (mut last, mut count) = (0, 0);
        let mut list = context.out.list(COLUMNS);
        loop {
            let page = app.store.unknown_deliveries(account.as_deref(), last, PAGE).await?;
            let Some(end) = page.last() else { break };
            last = end.id;
            count += page.len();
            page.iter().try_for_each(|row| list.row(row))?;
        }
        list.end()?;
        match count {
            0 => Ok(()),
            _ => Err(Error::new(
                Kind::Unknown,
                say!("the outcome of {count} sends is unknown"; "有 {count} 条投递的结果未知"),
            )
            .next(say!(
                "ask the receiver; then wxops sends unknown --delivered SEND, or wxops events replay EVENT --hook HOOK";
                "请向接收方核实；然后 wxops sends unknown --delivered 投递，或 wxops events replay 事件 --hook HOOK"
            ))),
        }
    }
}

impl Row for DeliveryRow {
    fn json(&self) -> serde_json::Value {
        delivery::json(self)
    }

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.ended_at.map(|at| time_local(at.timestamp_millis())).unwrap_or_default(),
            self.hook.clone(),
            self.event_id.map(|id| id.to_string()).unwrap_or_default(),
            delivery::kind(self).unwrap_or_default().to_owned(),
            self.account.clone(),
            self.attempts.to_string(),
            self.last_error.clone().unwrap_or_default(),
        ]
    }
}
