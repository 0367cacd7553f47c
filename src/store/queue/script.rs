//! The SQL files of the queue, which the shells of both databases run by hand too: statements in, statements out.

/// The statements of a file. `DELIMITER` is a word of MySQL's shell, not of SQL.
pub(super) fn statements(text: &str) -> Vec<String> {
    let (mut end, mut all, mut now) = (";", Vec::new(), String::new());
    for line in text.lines() {
        if let Some(word) = line.strip_prefix("DELIMITER ") {
            end = word.trim();
            continue;
        }
        if now.is_empty() && (line.trim().is_empty() || line.starts_with("--")) {
            continue;
        }
        match line.trim_end().strip_suffix(end) {
            // A trigger of SQLite has statements in it, which are indented.
            Some(last) if !line.starts_with(' ') => {
                now.push_str(last);
                all.push(std::mem::take(&mut now));
            }
            _ => {
                now.push_str(line);
                now.push('\n');
            }
        }
    }
    all
}

/// Statements as the shell of MySQL takes them: bodies of several statements behind another delimiter.
pub(super) fn for_shell(statements: &[String], mysql: bool) -> String {
    let one = |sql: &String| {
        let sql = sql.trim_end();
        match mysql && sql.contains(';') {
            true => format!("DELIMITER //\n{sql}//\nDELIMITER ;\n"),
            false => format!("{sql};\n"),
        }
    };
    let text = statements.iter().map(one).collect::<Vec<_>>().join("\n");
    // Names and comments are text, whatever character set the shell speaks.
    let text = text.replace("\nDELIMITER ;\n\nDELIMITER //\n", "\n\n");
    if mysql && !text.is_empty() { format!("SET NAMES utf8mb4;\n\n{text}") } else { text }
}

/// What a statement says, without its layout and its comments: the shells of databases take some of both away.
pub(super) fn meaning(sql: &str) -> String {
    let lines = sql.lines().map(|line| line.split_once("-- ").map_or(line, |(code, _)| code));
    let words: Vec<&str> = lines.flat_map(str::split_whitespace).collect();
    words.join(" ").trim_end_matches(';').trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_its_statements() {
        let text = "-- What it is.\n\nCREATE TABLE a (\n    b INT -- one\n);\n\nDELIMITER //\n\nDROP PROCEDURE p//\n\
                    CREATE PROCEDURE p()\nBEGIN\n    SELECT 1;\nEND//\n\nDELIMITER ;\n";
        let found = statements(text);
        let wanted = [
            "CREATE TABLE a (\n    b INT -- one\n)",
            "DROP PROCEDURE p",
            "CREATE PROCEDURE p()\nBEGIN\n    SELECT 1;\nEND",
        ];
        assert_eq!(found, wanted);
        assert_eq!(statements(&for_shell(&found, true))[1..], wanted);
        assert_eq!(meaning(&found[0]), "CREATE TABLE a ( b INT )");
        assert_eq!(meaning("BEGIN\n  SELECT 1;\nEND;"), meaning("BEGIN SELECT 1; END"));
    }
}
