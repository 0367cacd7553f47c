//! Every push that the reference documents (section 2), one line each.

use super::fields;
use super::xml::Node;

/// What a push is made of.
pub struct Facts<'a> {
    /// A number that no other push of this sandbox has.
    pub serial: u64,
    /// A 64-bit id that no other push has.
    pub id: i64,
    /// The person.
    pub openid: &'a str,
    /// The account.
    pub app_id: &'a str,
    /// CreateTime.
    pub now: i64,
}

/// A kind of push.
pub struct Kind {
    /// Its name on the command line.
    pub name: &'static str,
    /// MsgType.
    pub msg_type: &'static str,
    /// Event.
    pub event: Option<&'static str>,
    /// Who it is from.
    pub from: From,
    /// How often it comes in a `mix`.
    pub weight: u64,
    /// Its own fields.
    pub fields: fn(&Facts) -> Vec<Node>,
}

/// Whose openid FromUserName carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// A person's.
    Person,
    /// The platform's (reference 2.3).
    System,
}

const fn message(name: &'static str, msg_type: &'static str, weight: u64, fields: fn(&Facts) -> Vec<Node>) -> Kind {
    Kind { name, msg_type, event: None, from: From::Person, weight, fields }
}

const fn event(name: &'static str, event: &'static str, weight: u64, fields: fn(&Facts) -> Vec<Node>) -> Kind {
    Kind { name, msg_type: "event", event: Some(event), from: From::Person, weight, fields }
}

const fn system(name: &'static str, event: &'static str, fields: fn(&Facts) -> Vec<Node>) -> Kind {
    Kind { name, msg_type: "event", event: Some(event), from: From::System, weight: 1, fields }
}

/// All kinds.
pub const KINDS: &[Kind] = &[
    message("text", "text", 60, fields::words),
    message("image", "image", 10, fields::image),
    message("voice", "voice", 6, fields::voice),
    message("video", "video", 2, fields::video),
    message("shortvideo", "shortvideo", 1, fields::video),
    message("location-message", "location", 3, fields::place),
    message("link", "link", 2, fields::link),
    event("subscribe", "subscribe", 30, fields::empty_key),
    event("subscribe-qr", "subscribe", 30, fields::scanned_to_follow),
    event("unsubscribe", "unsubscribe", 12, fields::empty_key),
    event("scan", "SCAN", 15, fields::scanned),
    event("location", "LOCATION", 30, fields::position),
    event("click", "CLICK", 30, fields::menu_key),
    event("view", "VIEW", 40, fields::view),
    event("view_miniprogram", "view_miniprogram", 5, fields::view_miniprogram),
    event("scancode_push", "scancode_push", 1, fields::scancode_push),
    event("scancode_waitmsg", "scancode_waitmsg", 1, fields::scancode_waitmsg),
    event("pic_sysphoto", "pic_sysphoto", 1, fields::one_picture),
    event("pic_photo_or_album", "pic_photo_or_album", 1, fields::two_pictures),
    event("pic_weixin", "pic_weixin", 1, fields::one_picture),
    event("location_select", "location_select", 1, fields::location_select),
    event("template-finished", "TEMPLATESENDJOBFINISH", 10, fields::template_finished),
    event("subscribe_msg_popup", "subscribe_msg_popup_event", 2, fields::popup),
    event("subscribe_msg_change", "subscribe_msg_change_event", 1, fields::change),
    event("subscribe_msg_sent", "subscribe_msg_sent_event", 4, fields::sent),
    event("kf_create_session", "kf_create_session", 1, fields::kf_account),
    event("kf_close_session", "kf_close_session", 1, fields::kf_account),
    event("kf_switch_session", "kf_switch_session", 1, fields::kf_switch),
    system("mass-finished", "MASSSENDJOBFINISH", fields::mass_finished),
    system("user_info_modified", "user_info_modified", fields::profile_cleaned),
    system("user_authorization_revoke", "user_authorization_revoke", fields::revoked),
    system("user_authorization_cancellation", "user_authorization_cancellation", fields::profile_cleaned),
    system("publish_finished", "PUBLISHJOBFINISH", fields::published),
    system("qualification_verify_success", "qualification_verify_success", fields::verified),
    system("qualification_verify_fail", "qualification_verify_fail", fields::not_verified),
    system("naming_verify_success", "naming_verify_success", fields::verified),
    system("naming_verify_fail", "naming_verify_fail", fields::not_verified),
    system("annual_renew", "annual_renew", fields::verified),
    system("verify_expired", "verify_expired", fields::verified),
    system("unknown", "wx_verify_pay_succ", fields::some_field),
    Kind {
        name: "unknown-message",
        msg_type: "hologram",
        event: None,
        from: From::Person,
        weight: 1,
        fields: fields::payload,
    },
];

/// The kind of a name; `_` and `-` are alike, and the platform's own names and the stored ones
/// (`event.subscribe`) are understood too.
pub fn named(name: &str) -> Option<&'static Kind> {
    named_of(KINDS, name)
}

/// The same among other kinds.
pub fn named_of(kinds: &'static [Kind], name: &str) -> Option<&'static Kind> {
    let plain = |text: &str| text.to_ascii_lowercase().replace('-', "_");
    let wanted = plain(name);
    let short = wanted.strip_prefix("event.").unwrap_or(&wanted);
    if let Some(message) = wanted.strip_prefix("message.") {
        return kinds.iter().find(|kind| kind.event.is_none() && kind.msg_type == message);
    }
    let by_name = kinds.iter().find(|kind| plain(kind.name) == short);
    by_name.or_else(|| kinds.iter().find(|kind| kind.event.is_some_and(|event| plain(event) == short)))
}

/// A kind for a `mix`, chosen by a number.
pub fn mixed(kinds: &'static [Kind], number: u64) -> &'static Kind {
    let total: u64 = kinds.iter().map(|kind| kind.weight).sum();
    let mut left = number % total;
    for kind in kinds {
        if left < kind.weight {
            return kind;
        }
        left -= kind.weight;
    }
    &kinds[0]
}
