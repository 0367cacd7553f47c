//! All that differs between SQLite and MySQL/MariaDB in SQL text.

/// Which SQL is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite.
    Sqlite,
    /// MySQL 8, MariaDB 10.6 and later.
    MySql,
}

impl Dialect {
    /// The database's clock, milliseconds since 1970; leases read it, so that hosts need not agree.
    pub fn now_ms(self) -> &'static str {
        match self {
            Dialect::Sqlite => "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
            Dialect::MySql => "CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)",
        }
    }

    /// A time's whole seconds since 1970.
    pub fn seconds(self, column: &str) -> String {
        match self {
            Dialect::Sqlite => format!("unixepoch({column})"),
            // Not UNIX_TIMESTAMP, which ends in 2038.
            Dialect::MySql => format!("TIMESTAMPDIFF(SECOND, '1970-01-01', {column})"),
        }
    }

    /// `INSERT`, silent where the key stands already. IGNORE also swallows values that do not fit,
    /// so lengths are checked before. Never `ON DUPLICATE KEY UPDATE id = id`: with several writers
    /// MariaDB loses acknowledged rows on it without an error.
    pub fn insert_new(self) -> &'static str {
        match self {
            Dialect::Sqlite => "INSERT OR IGNORE",
            Dialect::MySql => "INSERT IGNORE",
        }
    }

    /// Bytes of the database on disk.
    pub fn size(self) -> &'static str {
        match self {
            Dialect::Sqlite => {
                "SELECT pages.page_count * sizes.page_size FROM pragma_page_count() AS pages, pragma_page_size() AS sizes"
            }
            Dialect::MySql => {
                "SELECT CAST(SUM(data_length + index_length) AS SIGNED) FROM information_schema.tables \
                 WHERE table_schema = DATABASE()"
            }
        }
    }

    /// A text column compared byte by byte, NULL as the empty text. MySQL's binary collations ignore trailing blanks,
    /// and refuse to compare an ASCII column with other letters.
    pub fn exact_text(self, column: &str) -> String {
        match self {
            Dialect::Sqlite => format!("COALESCE({column}, '')"),
            Dialect::MySql => format!("CAST(COALESCE({column}, '') AS BINARY)"),
        }
    }

    /// user_mapping, read in the order of its id. Left to itself, a planner may take the index of a condition and
    /// sort what it finds for every page anew.
    pub fn followers_by_id(self) -> &'static str {
        match self {
            Dialect::Sqlite => "user_mapping NOT INDEXED",
            Dialect::MySql => "user_mapping FORCE INDEX (PRIMARY)",
        }
    }

    /// inbox_event, read in the order of its id, as [`Dialect::followers_by_id`].
    pub fn inbox_by_id(self) -> &'static str {
        match self {
            Dialect::Sqlite => "inbox_event NOT INDEXED",
            Dialect::MySql => "inbox_event FORCE INDEX (PRIMARY)",
        }
    }
}
