//! `wxops events show`.

use super::{delivery, row};
use crate::app::App;
use crate::commands::{Context, time_local};
use crate::error::{Error, Lang, Result};
use crate::report::{Report, escape};
use crate::say;
use crate::store::{DeliveryRow, InboxRow};

/// Show one event with its message, and what became of it at each hook
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops events show 17")]
pub struct Show {
    /// The event's id
    #[arg(value_name = "ID")]
    id: i64,
}

struct Shown(InboxRow, Vec<DeliveryRow>);

impl Show {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let app = App::open(context.config()?.clone()).await?;
        let row = app.store.inbox_event(self.id).await?.ok_or_else(|| unknown(self.id))?;
        let deliveries = app.store.deliveries_of(self.id).await?;
        context.out.show(&Shown(row, deliveries))
    }
}

pub(super) fn unknown(id: i64) -> Error {
    Error::failed(say!("there is no event {id}"; "没有编号为 {id} 的事件"))
        .next(say!("see wxops events list"; "请查看 wxops events list"))
}

impl Report for Shown {
    fn json(&self) -> serde_json::Value {
        let mut value = row::json(&self.0, true);
        value["deliveries"] = self.1.iter().map(delivery::json).collect();
        value
    }

    fn text(&self, lang: Lang) -> String {
        let InboxRow { id, account, kind, openid, state, attempts, .. } = &self.0;
        let happened = time_local(self.0.event_time.timestamp_millis());
        let received = time_local(self.0.received_at.timestamp_millis());
        let head = say!(
            "id        {id}\naccount   {account}\nkind      {kind}\nopenid    {openid}\nstate     {state}, {attempts} failed tries\n\
             happened  {happened}\nreceived  {received}";
            "编号    {id}\n账号    {account}\n类型    {kind}\nopenid  {openid}\n状态    {state}，失败 {attempts} 次\n\
             发生    {happened}\n收到    {received}"
        );
        let error = self.0.last_error.as_deref().map(|error| {
            let error = escape(error);
            say!("\nerror     {error}"; "\n错误    {error}").in_lang(lang).to_owned()
        });
        // Line breaks of the message stand; everything else that could steer a terminal does not.
        let raw = match &self.0.raw {
            Some(raw) => raw.lines().map(|line| escape(line).into_owned()).collect::<Vec<_>>().join("\n"),
            None => {
                say!("the message is erased: its person left"; "消息已清除：该用户已取消关注").in_lang(lang).to_owned()
            }
        };
        let told: String = self.1.iter().map(|told| format!("\n{}", delivery::line(told, lang))).collect();
        format!("{}{}{told}\n\n{raw}", head.in_lang(lang), error.unwrap_or_default())
    }
}
