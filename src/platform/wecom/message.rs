//! POST /cgi-bin/message/send: a message of an application to people (WeCom reference 3); and of a group robot to its
//! group, with bytes that were made before (`webhook.rs`).

use super::webhook;
use crate::domain::account::Access;
use crate::domain::secret::Secret;
use crate::error::{Error, Kind, Result};
use crate::platform::http::{Answer, Client, Request, Tokens, may_have_arrived};

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

/// Sends these very bytes. Where the message may have arrived though no answer came, the error is [`Kind::Unknown`];
/// where it never left, [`Kind::Unavailable`].
pub async fn send(client: &Client, app: &Access, tokens: &dyn Tokens, body: &str) -> Result<Sent> {
    let request = Request::post_as_it_is("message/send", body);
    let answer = client.call(app, tokens, &request).await.map_err(unknown)?;
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
    webhook::post(client, base, key, Request::post_as_it_is("webhook/send", body)).await
}

fn listed(answer: &Answer, key: &str) -> Vec<String> {
    let ids = answer.text(key).unwrap_or_default().split('|').map(str::trim);
    ids.filter(|id| !id.is_empty()).map(str::to_owned).collect()
}

/// A message that may have arrived is not known to have failed.
pub(super) fn unknown(mut error: Error) -> Error {
    if may_have_arrived(&error) {
        error.kind = Kind::Unknown;
    }
    error
}
