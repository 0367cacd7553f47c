//! A callback of an Official Account after verification: who, when, what, and every leaf as it came.

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

/// A verified, well-formed push (reference 2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// ToUserName: the account's original id.
    pub to_user: String,
    /// FromUserName: an openid, or a system account.
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

/// What a push is: `message.text`, `event.subscribe`, … or `unknown`.
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

impl Kind {
    /// A push that no document names; stored raw.
    pub const UNKNOWN: Kind = Kind("unknown");

    /// The kind of a push by its MsgType and, for events, its Event.
    pub fn of(msg_type: &str, event: Option<&str>) -> Kind {
        if msg_type != "event" {
            return find(MESSAGES, msg_type);
        }
        find(EVENTS, &event.unwrap_or_default().to_ascii_lowercase())
    }

    /// The name, as stored and as a label.
    pub fn as_str(self) -> &'static str {
        self.0
    }

    /// The kind with this stored name.
    pub fn named(name: &str) -> Kind {
        Kind::all().find(|kind| kind.0 == name).unwrap_or(Kind::UNKNOWN)
    }

    /// Every kind the reference names.
    pub fn all() -> impl Iterator<Item = Kind> {
        MESSAGES.iter().chain(EVENTS).map(|(_, name)| Kind(name))
    }
}

fn find(table: &'static [(&str, &'static str)], key: &str) -> Kind {
    table.iter().find(|(name, _)| *name == key).map_or(Kind::UNKNOWN, |(_, kind)| Kind(kind))
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
