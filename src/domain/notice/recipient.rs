//! Who is told: a person, a department, a tag of the address book, or everybody the application may write to.

use crate::domain::near::near;
use crate::error::{Error, Result};
use crate::say;
use std::fmt;
use std::hash::{Hash, Hasher};

/// Bytes of a userid at the most (WeCom's address book).
const USER_MAX: usize = 64;

/// One recipient. Two that differ only in the case of a userid are one: so the platform sees it (WeCom reference 1).
#[derive(Debug, Clone)]
pub enum Recipient {
    /// A person, by userid as it was written.
    User(String),
    /// A department, by number.
    Party(String),
    /// A tag, by number.
    Tag(String),
    /// Everybody in the application's scope.
    All,
}

impl Recipient {
    /// Reads `zhang|li`, `party:2`, `tag:3` and `@all`, several divided by `|`. The wrong one is named.
    pub fn list(text: &str) -> Result<Vec<Recipient>> {
        let mut list: Vec<Recipient> = Vec::new();
        for word in text.split('|').map(str::trim).filter(|word| !word.is_empty()) {
            let recipient = Recipient::parse(word)?;
            if !list.contains(&recipient) {
                list.push(recipient);
            }
        }
        match list.is_empty() {
            true => Err(Error::config(say!("names nobody"; "没有写任何接收人")).next(example())),
            false => Ok(list),
        }
    }

    /// Reads one as a person writes it; also `user:zhang`, for somebody whose userid is `all`.
    pub fn parse(word: &str) -> Result<Recipient> {
        let wrong = |why| Err(Error::config(why).next(example()));
        let Some((kind, id)) = word.split_once(':') else {
            return match word {
                "@all" => Ok(Recipient::All),
                "all" => Err(Error::config(say!("all is ambiguous"; "all 有歧义")).next(
                    say!("write @all for everybody, user:all for the person"; "所有人请写 @all，该成员请写 user:all"),
                )),
                _ => user(word),
            };
        };
        match kind {
            "user" => user(id),
            "party" | "tag" if !number(id) => {
                wrong(say!("{kind}:{id} is not {kind}: and a number"; "{kind}:{id} 不是 {kind}: 加数字"))
            }
            "party" => Ok(Recipient::Party(id.to_owned())),
            "tag" => Ok(Recipient::Tag(id.to_owned())),
            _ => match near(kind, ["user", "party", "tag"]) {
                Some(near) => Err(Error::config(say!("{word:?} is no recipient"; "{word:?} 不是接收人"))
                    .next(say!("did you mean {near}:{id}?"; "是不是 {near}:{id}？"))),
                None => wrong(say!("{word:?} is no recipient"; "{word:?} 不是接收人")),
            },
        }
    }

    /// Reads what [`Display`](fmt::Display) wrote; `None` for anything else.
    pub fn stored(text: &str) -> Option<Recipient> {
        match text.split_once(':') {
            None if text == "all" => Some(Recipient::All),
            Some(("user", id)) if !id.is_empty() => Some(Recipient::User(id.to_owned())),
            Some(("party", id)) if number(id) => Some(Recipient::Party(id.to_owned())),
            Some(("tag", id)) if number(id) => Some(Recipient::Tag(id.to_owned())),
            _ => None,
        }
    }

    /// What two that are the same have in common: as stored, userids in lower case.
    pub fn key(&self) -> String {
        match self {
            Recipient::User(id) => format!("user:{}", id.to_lowercase()),
            other => other.to_string(),
        }
    }
}

/// As it is stored: `user:zhang`, `party:2`, `tag:3`, `all`.
impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Recipient::User(id) => write!(f, "user:{id}"),
            Recipient::Party(id) => write!(f, "party:{id}"),
            Recipient::Tag(id) => write!(f, "tag:{id}"),
            Recipient::All => f.write_str("all"),
        }
    }
}

impl PartialEq for Recipient {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Recipient {}

impl Hash for Recipient {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

/// What divides ids in a request, and what the address book allows in none, is in no userid.
fn user(id: &str) -> Result<Recipient> {
    let begins = id.chars().next().is_some_and(char::is_alphanumeric);
    let letters = id.chars().all(|c| c.is_alphanumeric() || "_-@.".contains(c));
    match begins && letters && id.len() <= USER_MAX {
        true => Ok(Recipient::User(id.to_owned())),
        false => Err(Error::config(say!("{id:?} is no userid"; "{id:?} 不是成员的 userid")).next(example())),
    }
}

fn number(id: &str) -> bool {
    (1..=10).contains(&id.len()) && id.bytes().all(|c| c.is_ascii_digit())
}

fn example() -> crate::error::Text {
    say!(
        "write userids, party:NUMBER, tag:NUMBER or @all, such as zhang|li";
        "请写成员的 userid、party:部门号、tag:标签号 或 @all，例如 zhang|li"
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_written_is_stored_and_read_again() {
        let list = Recipient::list(" zhang | Li.Si@x|party:2|tag:3|@all|ZHANG|user:all ").unwrap();
        let stored: Vec<String> = list.iter().map(ToString::to_string).collect();
        assert_eq!(stored, ["user:zhang", "user:Li.Si@x", "party:2", "tag:3", "all", "user:all"]);
        let again: Vec<Recipient> = stored.iter().map(|text| Recipient::stored(text).unwrap()).collect();
        assert_eq!(again, list);
        assert_eq!(Recipient::User("ZhangSan".into()), Recipient::User("zhangsan".into()));
        assert_eq!(Recipient::User("ZhangSan".into()).key(), "user:zhangsan");
        assert_ne!(Recipient::User("2".into()), Recipient::Party("2".into()));
    }

    #[test]
    fn what_is_nobody_is_named() {
        for (text, says) in [
            ("", "names nobody"),
            (" | ", "names nobody"),
            ("zhang|all", "all is ambiguous"),
            ("part:2", "did you mean party:2?"),
            ("party:sales", "party:sales is not party: and a number"),
            ("tag:", "tag: is not tag: and a number"),
            ("xyzzy:1", "no recipient"),
            ("zhang li", "no userid"),
            ("-zhang", "no userid"),
            ("@ALL", "no userid"),
            ("user:", "no userid"),
            (&"z".repeat(65), "no userid"),
        ] {
            let error = Recipient::list(text).unwrap_err();
            let whole = format!("{}; {}", error.what.en, error.next.unwrap().en);
            assert!(whole.contains(says), "{text}: {whole}");
            assert_eq!(error.kind.exit_code(), 78, "{text}");
        }
        for text in ["", "user:", "party:x", "@all", "zhang", "group:1"] {
            assert!(Recipient::stored(text).is_none(), "{text}");
        }
    }
}
