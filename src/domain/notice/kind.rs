//! What a notification is about.

/// What happened to a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A member is new.
    New,
    /// One of the columns that are watched has another value.
    Changed,
    /// The column of the status has another value.
    Status,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 3] = [Kind::New, Kind::Changed, Kind::Status];

    /// As `notification_type` of the queue has it, and as its dedupe_key begins.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::New => "member_created",
            Kind::Changed => "member_changed",
            Kind::Status => "member_status",
        }
    }

    /// As the configuration has it.
    pub fn word(self) -> &'static str {
        match self {
            Kind::New => "new",
            Kind::Changed => "changed",
            Kind::Status => "status",
        }
    }

    /// The kind of either name.
    pub fn parse(text: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.word() == text || kind.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_names_are_read() {
        for kind in Kind::ALL {
            assert_eq!((Kind::parse(kind.as_str()), Kind::parse(kind.word())), (Some(kind), Some(kind)));
        }
        assert_eq!(Kind::parse("gone"), None);
    }
}
