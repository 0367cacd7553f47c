//! By which way a message leaves, whose budget it takes from, and the call itself.

use crate::app::App;
use crate::domain::account::{Access, WeCom};
use crate::domain::notice::{Recipient, Via};
use crate::domain::robot::Robot;
use crate::error::{Error, Kind, Result};
use crate::platform::wecom::message::{self, Sent};
use crate::say;
use crate::store::queue::Share;
use ring::digest::{SHA256, digest};
use std::sync::Arc;
use std::time::Duration;

/// What one person can be sent by an application: what exceeds it is dropped without a word (WeCom reference 3).
pub const MINUTE: i64 = 30;
const HOUR: i64 = 1_000;
/// Of these so many are for messages of one row each where more is due: the rest is for those that tell of many.
const SINGLES: i64 = 12;
/// A robot's messages in a minute; the platform refuses the 21st (WeCom reference 4).
const ROBOT_MINUTE: i64 = 18;
const ROBOT_SINGLES: i64 = 8;
/// More than a robot can say in an hour.
const ROBOT_HOUR: i64 = 100_000;

/// Both ways out, as far as they are configured.
#[derive(Clone)]
pub struct Channels {
    app: Arc<App>,
    access: Access,
    robot: Option<Robot>,
    robot_name: String,
}

impl Channels {
    /// Of this application and the robot beside it.
    pub fn of(app: Arc<App>, wecom: &WeCom) -> Channels {
        let robot = wecom.webhook_key.clone().map(|key| Robot { base: wecom.api_base.clone(), key });
        let robot_name = robot.as_ref().map(robot_name).unwrap_or_default();
        Channels { app, access: wecom.access.clone(), robot, robot_name }
    }

    /// The account's name.
    pub fn account(&self) -> &str {
        &self.access.name
    }

    /// Whether there is such a way.
    pub fn has(&self, via: Via) -> bool {
        match via {
            Via::App => self.access.agent_id.is_some() && self.access.has_token(),
            Via::Robot => self.robot.is_some(),
        }
    }

    /// Whose budget a way has.
    pub fn name(&self, via: Via) -> String {
        match via {
            Via::App => self.access.identity(),
            Via::Robot => self.robot_name.clone(),
        }
    }

    /// The API of a way, as the reference names it.
    pub fn api(via: Via) -> &'static str {
        match via {
            Via::App => "message/send",
            Via::Robot => "webhook/send",
        }
    }

    /// What a row takes from the budget for each of its recipients; `more`: more is due than the budget holds.
    pub fn shares(&self, via: Via, id: i64, to: &[Recipient], size: Size) -> Vec<Share> {
        let share = |person: Option<String>, minute, hour| Share { app: self.name(via), person, id, minute, hour };
        if via == Via::Robot {
            let minute = if size == Size::OneOfMany { ROBOT_SINGLES } else { ROBOT_MINUTE };
            return vec![share(Some("robot".to_owned()), minute, ROBOT_HOUR)];
        }
        let minute = if size == Size::OneOfMany { SINGLES } else { MINUTE };
        let person = |to: &Recipient| match to {
            Recipient::User(id) => Some(id.to_lowercase()),
            Recipient::Party(_) | Recipient::Tag(_) | Recipient::All => None,
        };
        to.iter().map(|to| share(person(to), minute, HOUR)).collect()
    }

    /// Sends the very bytes.
    pub async fn send(&self, via: Via, body: &str) -> Result<Sent> {
        match via {
            Via::App => message::send(&self.app.client, &self.access, &*self.app.tokens, body).await,
            Via::Robot => {
                let robot = self.robot.as_ref().ok_or_else(no_robot)?;
                message::say(&self.app.client, &robot.base, &robot.key, body).await.map(|()| Sent::default())
            }
        }
    }

    /// Nothing goes out by a way for so long: the platform has said so, and every process is told.
    pub async fn pause(&self, via: Via, pause: Duration, why: &Error) {
        let (account, api) = (self.account(), Channels::api(via));
        let until = self.app.now_ms() + i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
        let paused = self.app.store.pause(account, api, &why.what.en, until).await;
        self.app.note_refusal(account, api, why).await;
        if let Err(error) = paused {
            tracing::debug!(%error, "a pause is not written down");
        }
    }

    /// Messages went through: what was paused is so no longer.
    pub async fn well_again(&self) {
        for via in Via::ALL.into_iter().filter(|via| self.has(*via)) {
            if let Err(error) = self.app.store.resume(self.account(), Channels::api(via)).await {
                tracing::debug!(%error, "the end of a pause is not written down");
            }
        }
    }

    /// Why nothing is sent by a way just now, where that is known.
    pub async fn paused(&self, via: Via) -> Result<Option<Error>> {
        let api = Channels::api(via);
        let pause = self.app.store.paused(self.account(), api).await?;
        let Some(pause) = pause.filter(|pause| pause.api == api && pause.paused_until > self.app.now_ms()) else {
            return Ok(None);
        };
        let (hour, reason) = (crate::platform::errcode::hour(pause.paused_until), pause.reason);
        let what = say!("{api} is paused until {hour}: {reason}"; "{api} 暂停至 {hour}：{reason}");
        Ok(Some(Error::new(Kind::Unavailable, what).next(say!(
            "it goes on by itself; no row has lost an attempt";
            "到时会自动继续；通知不会因此损失尝试次数"
        ))))
    }
}

/// What a message is, as far as the budget is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// One row, and all that is due is within the budget.
    One,
    /// One row, and more is due than the budget may hold.
    OneOfMany,
    /// Many rows in one message.
    Many,
}

/// A robot is known by its key, which stands nowhere.
fn robot_name(robot: &Robot) -> String {
    let hash = digest(&SHA256, robot.key.reveal().as_bytes());
    format!("robot:{}", &crate::domain::hex::hex(hash.as_ref())[..16])
}

fn no_robot() -> Error {
    Error::config(say!("no robot is configured"; "没有配置群机器人"))
        .next(say!("set webhook_key of the WeCom application (WECOM_WEBHOOK_KEY)"; "请设置企业微信应用的 webhook_key（WECOM_WEBHOOK_KEY）"))
}
