//! `wxops followers show`.

use super::receipt;
use crate::app::App;
use crate::commands::{Context, time_json, time_local};
use crate::error::{Error, Lang, Result};
use crate::report::{Report, escape};
use crate::say;
use crate::store::{Erasure, Follower};
use serde_json::{Value, json};

/// Show one person, and why their data is missing
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops followers show oTEST0000000000000000000001_")]
pub struct Show {
    /// The person's openid
    #[arg(value_name = "OPENID", allow_hyphen_values = true, value_parser = openid)]
    openid: String,
}

impl Show {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let app = App::open(context.config()?.clone()).await?;
        let account = app.config.official(None)?;
        let (name, openid) = (&account.name, escape(&self.openid));
        let row = app.store.follower(name, &self.openid).await?.ok_or_else(|| {
            Error::failed(say!("{name} has no person {openid}"; "{name} 中没有 {openid}"))
                .next(say!("see wxops followers list; openids differ in case"; "请查看 wxops followers list；openid 区分大小写"))
        })?;
        let erasure = app.store.last_erasure(name, &self.openid).await?;
        context.out.show(&Shown(row, erasure))
    }
}

/// One may begin with a dash, but not look like a flag.
fn openid(text: &str) -> Result<String> {
    match text.starts_with("--") {
        true => Err(Error::usage(say!("not an openid"; "不是 openid"))),
        false => Ok(text.to_owned()),
    }
}

struct Shown(Follower, Option<Erasure>);

/// The row for programs: the columns of user_mapping.
pub(super) fn json(row: &Follower) -> Value {
    let time = |time: &Option<chrono::DateTime<chrono::Utc>>| time.map(|t| time_json(t.timestamp_millis()));
    json!({
        "id": row.id.to_string(),
        "account": row.account,
        "openid": row.openid,
        "unionid": row.unionid,
        "nickname": row.nickname,
        "avatar_url": row.avatar_url,
        "sex": row.sex,
        "city": row.city,
        "province": row.province,
        "country": row.country,
        "language": row.language,
        "subscribe_scene": row.subscribe_scene,
        "qr_scene": row.qr_scene,
        "remark": row.remark,
        "is_followed": row.is_followed,
        "follow_time": time(&row.follow_time),
        "unfollow_time": time(&row.unfollow_time),
        "created_at": time(&row.created_at),
        "updated_at": time(&row.updated_at),
        "erased_at": time(&row.erased_at),
        "info_due_at": row.info_due_at.map(time_json),
        "info_attempts": row.info_attempts,
        "info_error": row.info_error,
    })
}

impl Report for Shown {
    fn json(&self) -> Value {
        let mut value = json(&self.0);
        value["erasure"] = self.1.as_ref().map_or(Value::Null, receipt::json);
        value
    }

    fn text(&self, lang: Lang) -> String {
        let Value::Object(fields) = json(&self.0) else { return String::new() };
        let mut lines: Vec<String> = fields
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| {
                let shown = match value {
                    Value::String(text) if name.ends_with("_at") || name.ends_with("_time") => local(text),
                    Value::String(text) => escape(text).into_owned(),
                    other => other.to_string(),
                };
                format!("{name:<16} {shown}")
            })
            .collect();
        lines.extend(self.state().map(|state| state.in_lang(lang).to_owned()));
        lines.extend(self.1.iter().map(|erasure| receipt::text(erasure, lang)));
        lines.join("\n")
    }
}

impl Shown {
    /// What is to be said of the person's data.
    fn state(&self) -> Option<crate::error::Text> {
        let row = &self.0;
        match (&row.info_error, row.info_due_at) {
            (Some(_), None) => Some(say!(
                "user/info was given up; wxops events replay of the subscribe event makes it due again";
                "user/info 已放弃；对其 subscribe 事件执行 wxops events replay 可重新获取"
            )),
            (_, Some(_)) => Some(say!("user/info is still to be asked"; "尚待调用 user/info")),
            _ if row.erased_at.is_some() => Some(say!("this person's data is erased"; "该用户的数据已清除")),
            _ => None,
        }
    }
}

fn local(text: &str) -> String {
    chrono::DateTime::parse_from_rfc3339(text)
        .map_or_else(|_| text.to_owned(), |time| time_local(time.timestamp_millis()))
}
