//! The rules and templates of the configuration, checked and compiled once: from a notice to the very bytes of a request.

use super::message;
use crate::config::Config;
use crate::domain::notice::{Notice, Recipient, Via};
use crate::error::{Error, Kind, Result, Then};
use crate::say;

/// All that is needed to make messages.
#[derive(Debug)]
pub struct Book {
    to: Vec<Recipient>,
    via: Via,
    agent_id: Option<i64>,
}

/// What is to be done about a notice.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Who is told; of a robot, whoever is in its group.
    pub to: Vec<Recipient>,
    /// By which way.
    pub via: Via,
    /// By which way after a known failure of the first.
    pub fallback: Option<Via>,
    /// Which of the book's templates says it.
    pub template: usize,
}

impl Book {
    /// Reads and checks all rules and templates; what is wrong is exit 78 with its line.
    pub fn open(config: &Config) -> Result<Book> {
        let app = config.wecoms.first();
        let to = app.and_then(|app| app.to_user.as_deref()).map(Recipient::list).transpose()?;
        Ok(Book { to: to.unwrap_or_default(), via: Via::App, agent_id: app.and_then(|app| app.agent_id) })
    }

    /// Who is told of a notice, how, and in which words. Nobody at all: the row is dead and says so.
    pub fn plan(&self, notice: &Notice) -> Result<Plan> {
        let id = notice.id;
        if self.to.is_empty() && self.via == Via::App {
            return Err(Error::new(
                Kind::Config,
                say!(
                    "nobody is to be told of notice {id}: no rule and no WECOM_TO_USER names anybody";
                    "通知 {id} 没有接收人：没有规则匹配，也没有设置 WECOM_TO_USER"
                ),
            )
            .then(Then::Never));
        }
        Ok(Plan { to: self.to.clone(), via: self.via, fallback: None, template: 0 })
    }

    /// The bytes of the request. They depend on the row's id and its payload alone, so that a repeat is the same.
    pub fn body(&self, notice: &Notice, _plan: &Plan, via: Via, to: &[Recipient]) -> Result<String> {
        let no = notice.payload.get("member_no").and_then(|no| no.as_str()).unwrap_or("—");
        message::text(&format!("新会员登记 {no}\n通知号 {}", notice.id), via, to, self.agent_id)
    }

    /// One message that tells of the first `n` of these notices, and `n`.
    pub fn digest(&self, notices: &[&Notice], via: Via, to: &[Recipient]) -> Result<(String, usize)> {
        let told = &notices[..notices.len().min(10)];
        let nos: Vec<String> = told.iter().map(|notice| notice.id.to_string()).collect();
        let text = format!("{} 位新会员登记\n通知号 {}", told.len(), nos.join("、"));
        Ok((message::text(&text, via, to, self.agent_id)?, told.len()))
    }
}
