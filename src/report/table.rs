//! A small table inside a report: names to the left, figures to the right. What is long is a [`List`](super::List).

use super::escape;
use comfy_table::{CellAlignment, ContentArrangement, Table};

/// The lines of a table. The first column is text, the others are figures; cells are escaped here.
pub fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut table = Table::new();
    table.load_preset(comfy_table::presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.add_row(head);
    for row in rows {
        table.add_row(row.iter().map(|cell| escape(cell).into_owned()));
    }
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if at > 0 {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_stand_to_the_right_also_below_chinese() {
        let rows = [vec!["event.scan".to_owned(), "7".to_owned()], vec!["x\u{1b}".to_owned(), "1200".to_owned()]];
        let shown = table(&["类型", "数量"], &rows);
        assert_eq!(shown, "类型        数量\nevent.scan     7\nx\\u{1b}     1200");
    }
}
