//! Who may call our own API beside the admin: known by the hash of a token, and allowed what its scopes say.

use super::network::Network;
use ring::digest::{SHA256, digest};
use std::net::IpAddr;
use subtle::ConstantTimeEq;

/// The SHA-256 of the token that a client proves itself with.
#[derive(Clone)]
pub struct Proof([u8; 32]);

impl Proof {
    /// Of a token as it is sent.
    pub fn of(token: &str) -> Proof {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        Proof(bytes)
    }

    /// As `sha256sum` writes it: 64 hex letters.
    pub fn parse(text: &str) -> Option<Proof> {
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.bytes().all(|c| c.is_ascii_hexdigit()) {
            return None;
        }
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(at * 2..at * 2 + 2)?, 16).ok()?;
        }
        Some(Proof(bytes))
    }

    /// Whether both are of the same token, in a time that does not depend on where they differ.
    pub fn matches(&self, other: &Proof) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl std::fmt::Debug for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// What a client may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// `token:NAME`: read the access_token of this account, and say that it was refused.
    Token(String),
    /// `token:*`: the same of every account.
    AllTokens,
    /// `queue:process`: start a pass over the notification queue.
    QueueProcess,
}

/// One `[[client]]`.
#[derive(Debug, Clone)]
pub struct Client {
    /// Its name, for the log.
    pub name: String,
    /// What it proves itself with.
    pub proof: Proof,
    /// What it may.
    pub scopes: Vec<Scope>,
    /// Where it may call from; empty: from anywhere.
    pub addresses: Vec<Network>,
}

impl Client {
    /// Whether it may have the access_token of an account of this name, there or not.
    pub fn may_token(&self, account: &str) -> bool {
        self.scopes.iter().any(|scope| match scope {
            Scope::Token(name) => name == account,
            Scope::AllTokens => true,
            Scope::QueueProcess => false,
        })
    }

    /// Whether it may start a pass over the notification queue.
    pub fn may_process_queue(&self) -> bool {
        self.scopes.contains(&Scope::QueueProcess)
    }

    /// Whether it may call from this address; one that is not known is none of those that were listed.
    pub fn may_come_from(&self, address: Option<IpAddr>) -> bool {
        let listed = |address| self.addresses.iter().any(|network| network.contains(address));
        self.addresses.is_empty() || address.is_some_and(listed)
    }
}
