//! Who is told by a row's message, and who is still to be told: the column `recipients`.

use crate::domain::notice::Recipient;
use serde::{Deserialize, Serialize};

/// The recipients of a row, as they stand in the table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recipients {
    /// Those of the message that is frozen; before that, those still to be told.
    pub now: Vec<Recipient>,
    /// Those who are told by a later message: there was no budget for them.
    pub later: Vec<Recipient>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    now: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    later: Vec<String>,
}

impl Recipients {
    /// Those of one message.
    pub fn of(now: Vec<Recipient>) -> Recipients {
        Recipients { now, later: Vec::new() }
    }

    /// All who are still to be told.
    pub fn all(&self) -> Vec<Recipient> {
        self.now.iter().chain(&self.later).cloned().collect()
    }

    /// Reads the column; `None` where it says nobody.
    pub fn read(text: &str) -> Option<Recipients> {
        let stored: Stored = serde_json::from_str(text).ok()?;
        let people = |list: &[String]| list.iter().filter_map(|text| Recipient::stored(text)).collect::<Vec<_>>();
        let read = Recipients { now: people(&stored.now), later: people(&stored.later) };
        (!read.now.is_empty()).then_some(read)
    }

    /// As it is written.
    pub fn write(&self) -> String {
        let texts = |list: &[Recipient]| list.iter().map(ToString::to_string).collect();
        let stored = Stored { now: texts(&self.now), later: texts(&self.later) };
        serde_json::to_string(&stored).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let both = Recipients { now: vec![Recipient::User("Zhang".into())], later: vec![Recipient::All] };
        assert_eq!(both.write(), r#"{"now":["user:Zhang"],"later":["all"]}"#);
        assert_eq!(Recipients::read(&both.write()), Some(both));
        let one = Recipients::of(vec![Recipient::Party("2".into())]);
        assert_eq!(one.write(), r#"{"now":["party:2"]}"#);
        assert_eq!(Recipients::read(&one.write()), Some(one));
        for text in ["", "[]", "{}", r#"{"now":[]}"#, r#"{"now":["nobody"]}"#] {
            assert_eq!(Recipients::read(text), None, "{text}");
        }
    }
}
