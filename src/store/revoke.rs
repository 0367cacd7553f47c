//! What people took back a permission for (reference 2.3, RevokeInfo), and profiles that the platform has cleaned.

use super::value::{Value, places, stmt};
use super::{Statement, Store};
use chrono::{DateTime, Utc};

/// A kind of data that a permission was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoked {
    /// 204: voice messages.
    Microphone,
    /// 205: nickname and avatar.
    Profile,
    /// 206: positions, reported or sent.
    Location,
    /// 207: pictures and videos.
    Pictures,
}

impl Revoked {
    /// The kind behind a code; of 201 (address), 202 (invoice) and 203 (card) nothing is ever stored.
    pub fn of(code: &str) -> Option<Revoked> {
        match code {
            "204" => Some(Revoked::Microphone),
            "205" => Some(Revoked::Profile),
            "206" => Some(Revoked::Location),
            "207" => Some(Revoked::Pictures),
            _ => None,
        }
    }

    /// The callbacks whose messages hold it.
    fn events(self) -> &'static [&'static str] {
        match self {
            Revoked::Microphone => &["message.voice"],
            Revoked::Profile => &[],
            Revoked::Location => &["event.location", "event.location_select", "message.location"],
            Revoked::Pictures => &[
                "message.image",
                "message.video",
                "message.shortvideo",
                "event.pic_sysphoto",
                "event.pic_photo_or_album",
                "event.pic_weixin",
            ],
        }
    }
}

impl Store {
    /// The platform cleaned a profile: nickname and avatar go, and what is under way is not written; of a follower
    /// both are asked for again.
    pub fn profile_cleaned(&self, account: &str, openid: &str, now_ms: i64) -> Vec<Statement> {
        vec![stmt!(
            "UPDATE user_mapping SET nickname = NULL, avatar_url = NULL, info_lease = 0, \
             info_attempts = CASE WHEN is_followed = 1 THEN 0 ELSE info_attempts END, \
             info_error = CASE WHEN is_followed = 1 THEN NULL ELSE info_error END, \
             info_due_at = CASE WHEN is_followed = 1 THEN ?3 ELSE info_due_at END, updated_at = ?4 \
             WHERE account = ?1 AND openid = ?2",
            account,
            openid,
            now_ms,
            super::time_of(now_ms)
        )]
    }

    /// Deletes what a permission that was taken back at `at` had brought.
    pub fn revoked(
        &self,
        account: &str,
        openid: &str,
        kind: Revoked,
        at: DateTime<Utc>,
        now_ms: i64,
    ) -> Vec<Statement> {
        let mut statements = Vec::new();
        if kind == Revoked::Profile {
            // What is under way may have been asked before; what is due is asked again.
            statements.push(stmt!(
                "UPDATE user_mapping SET nickname = NULL, avatar_url = NULL, info_lease = 0, updated_at = ?3 \
                 WHERE account = ?1 AND openid = ?2",
                account,
                openid,
                super::time_of(now_ms)
            ));
        }
        let events = kind.events();
        if !events.is_empty() {
            let sql = format!(
                "UPDATE inbox_event SET raw = NULL, last_error = NULL WHERE account = ? AND openid = ? \
                 AND event_time <= ? AND kind IN ({}) AND raw IS NOT NULL",
                places(events.len())
            );
            let mut args: Vec<Value> = vec![account.into(), openid.into(), at.into()];
            args.extend(events.iter().map(|kind| Value::from(*kind)));
            statements.push(Statement { sql: sql.into(), args });
        }
        if kind == Revoked::Location {
            statements.extend(self.forget_location(account, openid, at, now_ms));
        }
        statements
    }
}
