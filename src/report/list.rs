//! Rows as they come: a table whose columns line up also for Chinese, or one JSON object a line.

use super::escape::{escape, json_line};
use super::{Format, Out};
use crate::error::{Lang, Result};
use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width};

/// So many rows decide the widths of the columns, and so many are held at most.
const CHUNK: usize = 200;

/// The head of a column, English and Chinese.
#[derive(Debug, Clone, Copy)]
pub struct Column(pub &'static str, pub &'static str);

/// What a list shows.
pub trait Row {
    /// The row for programs; stable, ids as text.
    fn json(&self) -> serde_json::Value;
    /// The cells for people, one a column; escaped by the list.
    fn cells(&self) -> Vec<String>;
}

/// A list under way; finish it with [`List::end`].
pub struct List<'a> {
    out: &'a mut Out,
    columns: &'a [Column],
    pending: Vec<Vec<String>>,
    widths: Vec<u16>,
    rows: u64,
}

impl<'a> List<'a> {
    pub(super) fn new(out: &'a mut Out, columns: &'a [Column]) -> Self {
        List { out, columns, pending: Vec::new(), widths: Vec::new(), rows: 0 }
    }

    /// Takes a row. An error is a closed or full stdout: stop the listing.
    pub fn row(&mut self, row: &impl Row) -> Result<()> {
        self.rows += 1;
        match self.out.format {
            Format::Json => self.out.line(&json_line(&row.json())),
            Format::Table => {
                self.pending.push(row.cells().iter().map(|cell| escape(cell).into_owned()).collect());
                if self.pending.len() < CHUNK { Ok(()) } else { self.print() }
            }
        }
    }

    /// Shows what is held back; for lists that go on and wait.
    pub fn flush(&mut self) -> Result<()> {
        self.print()?;
        self.out.flush()
    }

    /// Shows the rest, and says on stderr when there was nothing. Returns the number of rows.
    pub fn end(mut self) -> Result<u64> {
        self.flush()?;
        if self.rows == 0 {
            self.out.note(&crate::say!("nothing to list"; "没有记录"));
        }
        Ok(self.rows)
    }

    fn print(&mut self) -> Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let mut table = Table::new();
        table.load_preset(comfy_table::presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        let first = self.widths.is_empty();
        if first {
            let lang = self.out.lang;
            table.add_row(self.columns.iter().map(|column| match lang {
                Lang::En => column.0,
                Lang::Zh => column.1,
            }));
        }
        table.add_rows(self.pending.drain(..));
        for (at, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, 2));
            if let Some(width) = self.widths.get(at) {
                // A later row that is wider moves only itself to the right: nothing is cut.
                column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(*width)));
            }
        }
        if first {
            self.widths = table.column_max_content_widths().iter().map(|width| width + 2).collect();
        }
        self.out.line(&table.trim_fmt())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::report::testing::captured;
    use unicode_width::UnicodeWidthStr;

    struct Person(&'static str, &'static str);

    impl Row for Person {
        fn json(&self) -> serde_json::Value {
            serde_json::json!({"openid": self.0, "nickname": self.1})
        }
        fn cells(&self) -> Vec<String> {
            vec![self.0.into(), self.1.into(), "end".into()]
        }
    }

    const COLUMNS: &[Column] = &[Column("openid", "OPENID"), Column("nickname", "昵称"), Column("last", "末")];

    #[test]
    fn chinese_lines_up() {
        let (mut out, text) = captured(Format::Table, Lang::Zh);
        let mut list = out.list(COLUMNS);
        list.row(&Person("o1", "小明\u{1b}[31m")).unwrap();
        list.row(&Person("o22", "Bob")).unwrap();
        assert_eq!(list.end().unwrap(), 2);
        let shown = "OPENID  昵称            末\no1      小明\\u{1b}[31m  end\no22     Bob             end\n";
        assert_eq!(text(), shown);
        let starts: Vec<usize> = text().lines().map(|l| l[..l.rfind(' ').unwrap() + 1].width()).collect();
        assert_eq!(starts, [24, 24, 24]);
    }

    /// As terminals count: two for a wide character, also where several code points make one.
    #[test]
    fn emoji_line_up() {
        let (mut out, text) = captured(Format::Table, Lang::En);
        let mut list = out.list(COLUMNS);
        let names = [
            ("小明 👍🏽", 7),
            ("👩\u{200d}👩\u{200d}👧 一家", 7),
            ("🇨🇳", 2),
            ("cafe\u{301}", 4),
            ("ﾊﾝｶｸ，", 6),
            ("❤\u{fe0f}", 2),
            ("ordinary", 8),
        ];
        for (name, _) in names {
            list.row(&Person("o1", name)).unwrap();
        }
        list.end().unwrap();
        for (line, (name, columns)) in text().lines().skip(1).zip(names) {
            assert_eq!(line, format!("o1      {name}{}end", " ".repeat(8 - columns + 2)));
        }
    }

    #[test]
    fn later_rows_keep_the_widths() {
        let (mut out, text) = captured(Format::Table, Lang::En);
        let mut list = out.list(COLUMNS);
        list.row(&Person("o1", "somebody")).unwrap();
        list.flush().unwrap();
        list.row(&Person("o2", "B")).unwrap();
        list.end().unwrap();
        assert_eq!(text(), "openid  nickname  last\no1      somebody  end\no2      B         end\n");
    }

    #[test]
    fn json_is_one_object_a_line() {
        let (mut out, text) = captured(Format::Json, Lang::Zh);
        let mut list = out.list(COLUMNS);
        list.row(&Person("o1", "a\nb")).unwrap();
        list.row(&Person("o2", "c")).unwrap();
        list.end().unwrap();
        let lines: Vec<String> = text().lines().map(str::to_owned).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&lines[0]).unwrap()["nickname"], "a\nb");
    }
}
