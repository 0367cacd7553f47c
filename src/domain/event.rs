//! A callback after verification: who, when, what, and every leaf as it came.

use super::account::Platform;
use std::fmt;

/// An element of the message: a leaf has text, a branch has children.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Element {
    /// The tag, as written.
    pub name: String,
    /// Text and CDATA, joined; blanks kept.
    pub text: String,
    /// The elements inside, in order.
    pub children: Vec<Element>,
}

impl Element {
    /// The first child of that name.
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|c| c.name == name)
    }

    /// The text of the first child of that name.
    pub fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).map(|c| c.text.as_str())
    }
}

/// A verified, well-formed push (reference 2; WeCom reference 5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// ToUserName: the account's original id; WeCom's CorpID.
    pub to_user: String,
    /// FromUserName: an openid, or a system account; in WeCom a userid, or `sys`.
    pub from_user: String,
    /// CreateTime, seconds since 1970, the platform's clock.
    pub created: i64,
    /// What it is.
    pub kind: Kind,
    /// MsgId of a message; 64 bit, so kept as text.
    pub msg_id: Option<String>,
    /// The whole message, root `xml`.
    pub root: Element,
}

impl Event {
    /// The person it concerns: OpenID where the platform speaks through a system account
    /// (reference 2.3), else FromUserName.
    pub fn openid(&self) -> &str {
        match self.kind.0 {
            "event.user_info_modified"
            | "event.user_authorization_revoke"
            | "event.user_authorization_cancellation" => {
                self.root.text_of("OpenID").filter(|id| !id.is_empty()).unwrap_or(&self.from_user)
            }
            _ => &self.from_user,
        }
    }

    /// The scene of a QR code: `subscribe` carries it behind `qrscene_` (stripped once), `SCAN` bare.
    pub fn scene(&self) -> Option<&str> {
        let key = self.root.text_of("EventKey").filter(|key| !key.is_empty())?;
        match self.kind.0 {
            "event.subscribe" => key.strip_prefix("qrscene_"),
            "event.scan" => Some(key),
            _ => None,
        }
    }
}

/// What a push is: `message.text`, `event.subscribe`, … or `unknown`. WeCom's have names of their own, `wecom.` before
/// them: its `subscribe` is no following of an Official Account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Kind(&'static str);

/// Names of the kinds by MsgType.
const MESSAGES: &[(&str, &str)] = &[
    ("text", "message.text"),
    ("image", "message.image"),
    ("voice", "message.voice"),
    ("video", "message.video"),
    ("shortvideo", "message.shortvideo"),
    ("location", "message.location"),
    ("link", "message.link"),
];

/// Names of the kinds by Event, in lower case: the platform's own spelling varies.
const EVENTS: &[(&str, &str)] = &[
    ("subscribe", "event.subscribe"),
    ("unsubscribe", "event.unsubscribe"),
    ("scan", "event.scan"),
    ("location", "event.location"),
    ("click", "event.click"),
    ("view", "event.view"),
    ("view_miniprogram", "event.view_miniprogram"),
    ("scancode_push", "event.scancode_push"),
    ("scancode_waitmsg", "event.scancode_waitmsg"),
    ("pic_sysphoto", "event.pic_sysphoto"),
    ("pic_photo_or_album", "event.pic_photo_or_album"),
    ("pic_weixin", "event.pic_weixin"),
    ("location_select", "event.location_select"),
    ("masssendjobfinish", "event.mass_finished"),
    ("templatesendjobfinish", "event.template_finished"),
    ("subscribe_msg_popup_event", "event.subscribe_msg_popup"),
    ("subscribe_msg_change_event", "event.subscribe_msg_change"),
    ("subscribe_msg_sent_event", "event.subscribe_msg_sent"),
    ("user_info_modified", "event.user_info_modified"),
    ("user_authorization_revoke", "event.user_authorization_revoke"),
    ("user_authorization_cancellation", "event.user_authorization_cancellation"),
    ("publishjobfinish", "event.publish_finished"),
    ("qualification_verify_success", "event.qualification_verify_success"),
    ("qualification_verify_fail", "event.qualification_verify_fail"),
    ("naming_verify_success", "event.naming_verify_success"),
    ("naming_verify_fail", "event.naming_verify_fail"),
    ("annual_renew", "event.annual_renew"),
    ("verify_expired", "event.verify_expired"),
    ("kf_create_session", "event.kf_create_session"),
    ("kf_close_session", "event.kf_close_session"),
    ("kf_switch_session", "event.kf_switch_session"),
];

/// Names of WeCom's kinds by MsgType.
const WECOM_MESSAGES: &[(&str, &str)] = &[
    ("text", "wecom.message.text"),
    ("image", "wecom.message.image"),
    ("voice", "wecom.message.voice"),
    ("video", "wecom.message.video"),
    ("location", "wecom.message.location"),
    ("link", "wecom.message.link"),
];

/// Names of WeCom's kinds by Event, in lower case (WeCom reference 5).
const WECOM_EVENTS: &[(&str, &str)] = &[
    ("subscribe", "wecom.event.subscribe"),
    ("unsubscribe", "wecom.event.unsubscribe"),
    ("enter_agent", "wecom.event.enter_agent"),
    ("location", "wecom.event.location"),
    ("click", "wecom.event.click"),
    ("view", "wecom.event.view"),
    ("scancode_push", "wecom.event.scancode_push"),
    ("scancode_waitmsg", "wecom.event.scancode_waitmsg"),
    ("pic_sysphoto", "wecom.event.pic_sysphoto"),
    ("pic_photo_or_album", "wecom.event.pic_photo_or_album"),
    ("pic_weixin", "wecom.event.pic_weixin"),
    ("location_select", "wecom.event.location_select"),
    ("batch_job_result", "wecom.event.batch_job_result"),
    ("change_contact", "wecom.event.change_contact"),
    ("template_card_event", "wecom.event.template_card"),
    ("template_card_menu_event", "wecom.event.template_card_menu"),
    ("open_approval_change", "wecom.event.open_approval_change"),
    ("sys_approval_change", "wecom.event.sys_approval_change"),
    ("change_external_contact", "wecom.event.change_external_contact"),
    ("change_external_chat", "wecom.event.change_external_chat"),
    ("change_external_tag", "wecom.event.change_external_tag"),
    ("share_agent_change", "wecom.event.share_agent_change"),
];

/// How the names of WeCom's kinds begin.
const WECOM: &str = "wecom.";

impl Kind {
    /// A push that no document names; stored raw.
    pub const UNKNOWN: Kind = Kind("unknown");
    /// The same, of WeCom.
    pub const WECOM_UNKNOWN: Kind = Kind("wecom.unknown");

    /// The kind of a push by its MsgType and, for events, its Event.
    pub fn of(msg_type: &str, event: Option<&str>) -> Kind {
        if msg_type != "event" {
            return find(MESSAGES, msg_type).unwrap_or(Kind::UNKNOWN);
        }
        find(EVENTS, &event.unwrap_or_default().to_ascii_lowercase()).unwrap_or(Kind::UNKNOWN)
    }

    /// The kind of WeCom's push by its MsgType and, for events, its Event.
    pub fn of_wecom(msg_type: &str, event: Option<&str>) -> Kind {
        let found = match msg_type {
            "event" => find(WECOM_EVENTS, &event.unwrap_or_default().to_ascii_lowercase()),
            _ => find(WECOM_MESSAGES, msg_type),
        };
        found.unwrap_or(Kind::WECOM_UNKNOWN)
    }

    /// Whose platform sends it.
    pub fn platform(self) -> Platform {
        if self.0.starts_with(WECOM) { Platform::WeCom } else { Platform::Official }
    }

    /// The name, as stored and as a label.
    pub fn as_str(self) -> &'static str {
        self.0
    }

    /// The kind with this stored name.
    pub fn named(name: &str) -> Kind {
        let unknown = if name.starts_with(WECOM) { Kind::WECOM_UNKNOWN } else { Kind::UNKNOWN };
        Kind::all().find(|kind| kind.0 == name).unwrap_or(unknown)
    }

    /// Every kind the references name.
    pub fn all() -> impl Iterator<Item = Kind> {
        MESSAGES.iter().chain(EVENTS).chain(WECOM_MESSAGES).chain(WECOM_EVENTS).map(|(_, name)| Kind(name))
    }
}

fn find(table: &'static [(&str, &'static str)], key: &str) -> Option<Kind> {
    table.iter().find(|(name, _)| *name == key).map(|(_, kind)| Kind(kind))
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
