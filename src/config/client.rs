//! The `[[client]]` tables: who may call our own API beside the admin.

use super::file::account_name;
use super::layers::Layers;
use super::listed::{Item, Listed};
use super::origins::{Origins, Shown};
use super::values;
use crate::domain::client::{Client, Proof, Scope};
use crate::domain::near::near;
use crate::domain::network::Network;
use crate::domain::secret::Secret;
use crate::error::{Error, Result, Text};
use crate::say;

/// What the admin is called in the log.
const ADMIN: &str = "admin";
/// The scope of whoever may start a pass over the notification queue.
const QUEUE: &str = "queue:process";
/// What scopes of this house's other routes begin with; the routes are not there yet.
const LATER: [&str; 2] = ["messages:", "tags:"];

/// All clients; `accounts` are the names there are, on whichever platform.
pub(super) fn clients(layers: &Layers<'_>, accounts: &[&str], origins: &mut Origins) -> Result<Vec<Client>> {
    let mut clients: Vec<Client> = Vec::new();
    for table in layers.file.iter().flat_map(|file| &file.clients) {
        let mut reader = Reader { layers, table, name: String::new() };
        reader.name = reader.own_name()?;
        let client = reader.client(accounts)?;
        if clients.iter().any(|other| other.name == client.name) {
            return Err(reader.error("name", say!("there is another client of this name"; "已有同名的 client")));
        }
        if let Some(twin) = clients.iter().find(|other| other.proof.matches(&client.proof)) {
            let twin = &twin.name;
            return Err(reader
                .error("token_sha256", say!("is that of client {twin} too"; "与 client {twin} 的相同"))
                .next(say!("give each client a token of its own"; "请为每个 client 生成各自的密钥")));
        }
        reader.note(origins);
        clients.push(client);
    }
    Ok(clients)
}

struct Reader<'a> {
    layers: &'a Layers<'a>,
    table: &'a Listed,
    name: String,
}

impl Reader<'_> {
    fn own_name(&self) -> Result<String> {
        let Some(name) = self.table.text("name") else {
            return Err(self.error("name", say!("is missing"; "缺少")));
        };
        match account_name(name.reveal()) && name.reveal() != ADMIN {
            true => Ok(name.reveal().to_owned()),
            false => Err(self.error(
                "name",
                say!(
                    "a client's name is 1 to 32 of a-z 0-9 _ -, and neither \"all\" nor \"admin\"";
                    "client 名应为 1 至 32 个 a-z 0-9 _ - 字符，且不能是 \"all\" 或 \"admin\""
                ),
            )),
        }
    }

    fn client(&self, accounts: &[&str]) -> Result<Client> {
        Ok(Client {
            name: self.name.clone(),
            proof: self.proof()?,
            scopes: self.scopes(accounts)?,
            addresses: self.addresses()?,
        })
    }

    fn proof(&self) -> Result<Proof> {
        let how = || say!("make it: printf %s TOKEN | sha256sum"; "生成方法：printf %s TOKEN | sha256sum");
        let error = |why| self.error("token_sha256", why).next(how());
        let Some(text) = self.table.text("token_sha256") else { return Err(error(say!("is missing"; "缺少"))) };
        let Some(proof) = Proof::parse(text.reveal()) else {
            return Err(error(say!(
                "must be the SHA-256 of the client's token, 64 hex letters";
                "应为该 client 密钥的 SHA-256，即 64 个十六进制字符"
            )));
        };
        // What a pipe gives that got nothing: the token was an empty variable.
        match ["", "\n"].iter().any(|nothing| Proof::of(nothing).matches(&proof)) {
            true => Err(error(say!("is the SHA-256 of an empty text"; "是空文本的 SHA-256"))),
            false => Ok(proof),
        }
    }

    fn scopes(&self, accounts: &[&str]) -> Result<Vec<Scope>> {
        let list = self.table.list("scopes").filter(|list| !list.is_empty());
        let list = list.ok_or_else(|| {
            self.error(
                "scopes",
                say!("is missing: what may it? such as [\"token:main\"]"; "缺少：允许做什么？例如 [\"token:main\"]"),
            )
        })?;
        list.iter().map(|text| self.scope(text, accounts)).collect()
    }

    fn scope(&self, text: &str, accounts: &[&str]) -> Result<Scope> {
        if text == QUEUE {
            return Ok(Scope::QueueProcess);
        }
        match text.strip_prefix("token:") {
            Some("*") => return Ok(Scope::AllTokens),
            Some(name) if accounts.contains(&name) => return Ok(Scope::Token(name.to_owned())),
            _ => {}
        }
        if LATER.iter().any(|kind| text.starts_with(kind)) {
            return Err(self
                .error("scopes", say!("{text:?} is not known yet"; "{text:?} 尚不支持"))
                .next(say!("this version has token:NAME, token:* and queue:process"; "此版本支持 token:账号名、token:* 与 queue:process")));
        }
        let known: Vec<String> = accounts.iter().map(|name| format!("token:{name}")).collect();
        let known = || known.iter().map(String::as_str).chain(["token:*", QUEUE]);
        let error = self.error("scopes", say!("there is no scope {text:?}"; "没有作用域 {text:?}"));
        Err(match near(text, known()) {
            Some(near) => error.next(say!("did you mean {near}?"; "是不是 {near}？")),
            None => {
                let known = known().collect::<Vec<_>>().join(", ");
                error.next(say!("there is {known}"; "现有 {known}"))
            }
        })
    }

    fn addresses(&self) -> Result<Vec<Network>> {
        let list = self.table.list("addresses");
        if list.is_some_and(<[String]>::is_empty) {
            // Nobody means "from anywhere" by naming nothing.
            return Err(
                self.error("addresses", say!("is empty; leave it out for any address"; "为空；不限地址请删去此项"))
            );
        }
        let parse =
            |text: &String| Network::parse(text).ok_or_else(|| self.error("addresses", values::no_network(text).what));
        list.unwrap_or_default().iter().map(parse).collect()
    }

    fn error(&self, key: &str, why: Text) -> Error {
        self.table.error(self.layers, (&self.name, key), why)
    }

    /// What `doctor --origins` shows, and by which a reload knows what changed.
    fn note(&self, origins: &mut Origins) {
        for (key, (item, _)) in &self.table.items {
            let (text, shown) = match (key.as_str(), item) {
                ("token_sha256", Item::Text(text)) => (text.reveal().to_owned(), Shown::Masked),
                (_, Item::Text(text)) => (text.reveal().to_owned(), Shown::Plain),
                (_, Item::List(list)) => (list.join(" "), Shown::Plain),
                (_, Item::Number(_) | Item::Flag(_)) => continue,
            };
            let (full, origin) = (self.table.full(&self.name, key), self.table.origin(self.layers, key));
            origins.note(&full, origin, Some(Secret::new(text)), shown);
        }
    }
}
