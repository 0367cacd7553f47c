//! POST /cgi-bin/message/send: a message of an application to people (WeCom reference 3); and of a group robot to its
//! group, with bytes that were made before (`webhook.rs`).

use super::webhook;
use crate::domain::account::Access;
use crate::domain::secret::Secret;
use crate::domain::token::Token;
use crate::error::{Error, Kind, Result};
use crate::platform::http::{Answer, Client, Pending, Refused, Request, Tokens, never_left};
use std::sync::atomic::{AtomicBool, Ordering};

/// What the platform says of a message that it took. Whoever stands in one of the lists gets nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sent {
    /// The message's id, for recall and audit.
    pub msgid: Option<String>,
    /// Userids in lower case that are nobody's, or out of the application's scope.
    pub invalid_users: Vec<String>,
    /// Departments of which the same is true.
    pub invalid_parties: Vec<String>,
    /// Tags of which the same is true.
    pub invalid_tags: Vec<String>,
    /// Userids within the scope that have no basic licence.
    pub unlicensed: Vec<String>,
}

/// Sends these very bytes. Where the message may have arrived though no answer of the platform came, the error is
/// [`Kind::Unknown`]; where it never left, for want of a connection or of a token, [`Kind::Unavailable`].
pub async fn send(client: &Client, app: &Access, tokens: &dyn Tokens, body: &str) -> Result<Sent> {
    let request = Request::post_as_it_is("message/send", body);
    let watched = Watched { tokens, none: AtomicBool::new(false) };
    let answer = client.call(app, &watched, &request).await;
    // What the call for a token met says nothing of the message; one whose token was refused was refused itself.
    let answer = answer.map_err(|error| if watched.none.into_inner() { error } else { unknown(error) })?;
    Ok(Sent {
        msgid: answer.text("msgid").map(str::to_owned),
        invalid_users: listed(&answer, "invaliduser"),
        invalid_parties: listed(&answer, "invalidparty"),
        invalid_tags: listed(&answer, "invalidtag"),
        unlicensed: listed(&answer, "unlicenseduser"),
    })
}

/// Lets the robot of this key say these very bytes; errors as of [`send`].
pub async fn say(client: &Client, base: &str, key: &Secret, body: &str) -> Result<()> {
    webhook::post(client, base, key, Request::post_as_it_is("webhook/send", body)).await.map_err(unknown)
}

fn listed(answer: &Answer, key: &str) -> Vec<String> {
    let ids = answer.text(key).unwrap_or_default().split('|').map(str::trim);
    ids.filter(|id| !id.is_empty()).map(str::to_owned).collect()
}

/// A message without an answer of the platform is not known to have failed, unless it never left: the answer of a gateway
/// tells nothing of what the platform did.
fn unknown(mut error: Error) -> Error {
    if error.errcode.is_none() && error.kind == Kind::Unavailable && !never_left(&error) {
        error.kind = Kind::Unknown;
    }
    error
}

/// The keeper of tokens, and whether it had none.
struct Watched<'a> {
    tokens: &'a dyn Tokens,
    none: AtomicBool,
}

impl Watched<'_> {
    fn seen(&self, token: Result<Token>) -> Result<Token> {
        self.none.store(token.is_err(), Ordering::Relaxed);
        token
    }
}

impl Tokens for Watched<'_> {
    fn current<'a>(&'a self, account: &'a Access) -> Pending<'a> {
        Box::pin(async move { self.seen(self.tokens.current(account).await) })
    }

    fn refused<'a>(&'a self, account: &'a Access, used: &'a Token, why: Refused) -> Pending<'a> {
        Box::pin(async move { self.seen(self.tokens.refused(account, used, why).await) })
    }

    fn refused_again<'a>(&'a self, account: &'a Access, used: &'a Token, why: Refused) -> Pending<'a, ()> {
        self.tokens.refused_again(account, used, why)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::domain::account::Platform;
    use crate::error::Then;
    use crate::platform::testing::{Keeper, SECRET, Server, Step, TOKEN, client, impatient, ok};
    use crate::say;
    use std::time::Duration;

    const BODY: &str = r#"{"touser":"zhang", "agentid":1000002,"msgtype":"text","text":{"content":"张三\n😀"}}"#;

    fn app(base: &str) -> Access {
        let access = Access::new(Platform::WeCom, "crm", "ww1", base);
        Access { agent_id: Some(1_000_002), secret: Some(Secret::new(SECRET)), ..access }
    }

    #[tokio::test]
    async fn the_very_bytes_go_out_and_who_got_nothing_comes_back() {
        let answer = r#"{"errcode":0,"errmsg":"ok","invaliduser":"li|wang","invalidparty":"2","invalidtag":"","unlicenseduser":"zhao","msgid":"m1"}"#;
        let server = Server::start([ok(answer), ok(r#"{"errcode":0,"errmsg":"ok"}"#)]).await;
        let sent = send(&client(), &app(&server.base), &Keeper::default(), BODY).await.unwrap();
        let text = |list: &[&str]| list.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            sent,
            Sent {
                msgid: Some("m1".into()),
                invalid_users: text(&["li", "wang"]),
                invalid_parties: text(&["2"]),
                invalid_tags: vec![],
                unlicensed: text(&["zhao"]),
            }
        );
        let seen = &server.seen()[0];
        assert_eq!((seen.method.as_str(), seen.path.as_str()), ("POST", "/cgi-bin/message/send"));
        assert_eq!(seen.query, [("access_token".to_owned(), format!("{TOKEN}0"))]);
        assert_eq!(seen.body, BODY.as_bytes());
        assert!(seen.headers.contains("content-type: application/json"), "{}", seen.headers);
        assert_eq!(send(&client(), &app(&server.base), &Keeper::default(), BODY).await.unwrap(), Sent::default());
    }

    #[tokio::test]
    async fn a_refused_token_is_replaced_once_and_the_same_bytes_repeated() {
        let refused = r#"{"errcode":42001,"errmsg":"access_token expired, hint: [17], from ip: 203.0.113.7, more info at https://x"}"#;
        let server = Server::start([ok(refused), ok(r#"{"errcode":0}"#), ok(refused), ok(refused)]).await;
        send(&client(), &app(&server.base), &Keeper::default(), BODY).await.unwrap();
        assert_eq!(server.seen()[1].query[0].1, format!("{TOKEN}1"));
        assert_eq!(server.seen()[1].body, BODY.as_bytes());
        let error = send(&client(), &app(&server.base), &Keeper::default(), BODY).await.unwrap_err();
        assert_eq!((error.kind, error.errcode, error.rid.as_deref()), (Kind::Refused, Some(42001), Some("17")));
    }

    #[tokio::test]
    async fn what_the_platform_refuses_is_known() {
        for (code, kind, then) in [
            (81013, Kind::Failed, Then::Never),
            (60020, Kind::Refused, Then::Pause { after: Duration::from_secs(60), whole_account: true }),
            (45009, Kind::Unavailable, Then::Pause { after: Duration::from_secs(60), whole_account: false }),
            (-1, Kind::Unavailable, Then::Pause { after: Duration::from_secs(5), whole_account: false }),
            (99_999, Kind::Failed, Then::Never),
        ] {
            let server = Server::start([ok(&format!(r#"{{"errcode":{code},"errmsg":"x"}}"#))]).await;
            let error = send(&client(), &app(&server.base), &Keeper::default(), BODY).await.unwrap_err();
            assert_eq!((error.kind, error.then, error.errcode), (kind, then, Some(code)));
        }
    }

    #[tokio::test]
    async fn whether_it_may_have_arrived_is_told_apart() {
        let impatient = impatient(Duration::from_millis(300), Duration::from_millis(300));
        let gateway = || Step::Reply(502, "<html>".to_owned());
        for step in [Step::Reset, Step::Cut, Step::Hang, gateway(), ok("<html>"), ok("{\"errcode\":")] {
            let server = Server::start([step]).await;
            let error = send(&impatient, &app(&server.base), &Keeper::default(), BODY).await.unwrap_err();
            assert_eq!(error.kind, Kind::Unknown, "{error:?}");
            assert!(!format!("{error:?} {:?}", error.causes()).contains("CANARY"), "{error:?}");
        }
        let error = send(&impatient, &app("http://127.0.0.1:9"), &Keeper::default(), BODY).await.unwrap_err();
        assert_eq!(error.kind, Kind::Unavailable, "{error:?}");
        let key = Secret::new("CANARY-693a91f6");
        for (base, kind) in [("http://127.0.0.1:9".to_owned(), Kind::Unavailable), (hangs().await, Kind::Unknown)] {
            let error = say(&impatient, &base, &key, BODY).await.unwrap_err();
            assert_eq!(error.kind, kind, "{error:?}");
            assert!(!format!("{error:?} {:?}", error.causes()).contains("CANARY"), "{error:?}");
        }
    }

    /// The address of a server that never answers.
    async fn hangs() -> String {
        let server = Server::start([Step::Hang]).await;
        let base = server.base.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(5)).await;
            drop(server);
        });
        base
    }

    /// A keeper whose call for a token was sent and not answered.
    struct NoToken;

    impl Tokens for NoToken {
        fn current<'a>(&'a self, _: &'a Access) -> Pending<'a> {
            Box::pin(async { Err(Error::unavailable(say!("gettoken: no answer"; "gettoken：没有应答"))) })
        }

        fn refused<'a>(&'a self, account: &'a Access, _: &'a Token, _: Refused) -> Pending<'a> {
            self.current(account)
        }

        fn refused_again<'a>(&'a self, _: &'a Access, _: &'a Token, _: Refused) -> Pending<'a, ()> {
            Box::pin(async {})
        }
    }

    #[tokio::test]
    async fn without_a_token_nothing_left() {
        let server = Server::start([ok(r#"{"errcode":0}"#)]).await;
        let error = send(&client(), &app(&server.base), &NoToken, BODY).await.unwrap_err();
        assert_eq!((error.kind, server.seen().len()), (Kind::Unavailable, 0), "{error:?}");
    }
}
