//! `wxops queue show`.

use super::row;
use crate::app::App;
use crate::commands::{Context, time_local};
use crate::error::{Error, Lang, Result, Text};
use crate::notify;
use crate::report::{Report, escape};
use crate::say;
use crate::store::queue::WholeNotice;
use serde_json::Value;

/// Show one notification: its member as it was, its message, how it went
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops queue show 17")]
pub(crate) struct Show {
    /// The row's id
    #[arg(value_name = "ID")]
    id: i64,
}

struct Shown(WholeNotice);

impl Show {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let app = App::open(context.config()?.clone()).await?;
        let db = notify::database(&app, &app.config).await?;
        let whole = db.notice(self.id).await?.ok_or_else(|| no_such(self.id))?;
        context.out.show(&Shown(whole))
    }
}

/// The refusal of a number that no row has.
pub(super) fn no_such(id: i64) -> Error {
    Error::failed(say!("there is no notification {id}"; "没有编号为 {id} 的通知"))
        .next(say!("see wxops queue list"; "请查看 wxops queue list"))
}

fn read(text: Option<&str>) -> Value {
    text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

impl Report for Shown {
    fn json(&self) -> Value {
        let whole = &self.0;
        let mut value = row::json(&whole.row);
        value["dedupe_key"] = whole.dedupe_key.as_str().into();
        value["payload"] = read(Some(&whole.payload));
        value["body"] = read(whole.body.as_deref());
        value["digest"] = read(whole.digest.as_deref());
        value
    }

    fn text(&self, lang: Lang) -> String {
        let (row, whole) = (&self.0.row, &self.0);
        let (id, member, kind, state) = (row.id, row.member_id, &row.kind, &row.state);
        let ((attempts, most), claims) = (row.attempts, row.claims);
        let (created, due) = (time_local(row.created_ms), time_local(row.available_ms));
        let end = row.processed_ms.map_or_else(|| "-".to_owned(), time_local);
        let mut lines = vec![say!(
            "id          {id}\nkind        {kind}\nmember      {member}\nstate       {state}\n\
             attempts    {attempts} of {most} ({claims} claims)\ncreated     {created}\ndue         {due}\nended       {end}";
            "编号    {id}\n类型    {kind}\n会员    {member}\n状态    {state}\n\
             尝试    {attempts} / {most}（领取 {claims} 次）\n创建    {created}\n到期    {due}\n结束    {end}"
        )];
        if row.suspect {
            lines.push(say!("suspect     it may have gone out twice"; "可疑    可能已发送过两次"));
        }
        if let Some((who, until)) = &row.held {
            let (who, until) = (escape(who), time_local(*until));
            lines.push(say!("in hand     {who}, until {until}"; "领取者  {who}，至 {until}"));
        }
        if let Some(recipients) = &row.recipients {
            let recipients = escape(recipients);
            lines.push(say!("recipients  {recipients}"; "接收人  {recipients}"));
        }
        if let Some(of) = row.digest_id {
            lines.push(say!("told in     the message of {of}"; "合并于  通知 {of} 的消息"));
        }
        if let Some(msgid) = &row.msgid {
            let msgid = escape(msgid);
            lines.push(say!("msgid       {msgid}"; "msgid   {msgid}"));
        }
        if let Some(error) = &row.error {
            let error = escape(error);
            lines.push(say!("error       {error}"; "错误    {error}"));
        }
        let payload = escape(&whole.payload).into_owned();
        lines.push(say!("payload     {payload}"; "内容    {payload}"));
        if let Some(body) = &whole.body {
            let body = escape(body);
            lines.push(say!("message     {body}"; "消息    {body}"));
        }
        lines.iter().map(|line: &Text| line.in_lang(lang)).collect::<Vec<_>>().join("\n")
    }
}
