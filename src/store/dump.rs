//! The command that copies a MySQL or MariaDB, for a person to run: the server's own tool does it best.

use crate::domain::secret::Secret;
use reqwest::Url;
use sqlx::mysql::MySqlConnectOptions;
use std::path::Path;
use std::str::FromStr;

/// The line for a shell; where there is a password, mysqldump asks for it. One transaction: nobody is locked, and
/// the dump is of one moment.
pub fn dump_command(url: &Secret, to: &Path) -> Option<String> {
    let url = url.reveal().replacen("mariadb://", "mysql://", 1);
    let options = MySqlConnectOptions::from_str(&url).ok()?;
    let password = if Url::parse(&url).ok()?.password().is_some() { " --password" } else { "" };
    let place = match options.get_socket() {
        Some(socket) => format!("--socket={}", quoted(&socket.to_string_lossy())),
        None => format!("--host={} --port={}", quoted(options.get_host()), options.get_port()),
    };
    let (user, to) = (quoted(options.get_username()), quoted(&to.to_string_lossy()));
    let database = quoted(options.get_database()?);
    // Bytes as hex, which no change of character sets touches; tablespaces would need a privilege of their own.
    Some(format!(
        "(umask 077; mysqldump {place} --user={user}{password} --single-transaction --quick --hex-blob \
         --no-tablespaces --default-character-set=utf8mb4 --result-file={to} {database})"
    ))
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_holds_all_but_the_password() {
        let line = |url: &str| dump_command(&Secret::new(url), Path::new("/b/it's.sql"));
        let tcp = line("mysql://wx%40ops:a%20pass@db.example.com:3307/we%20chat").unwrap_or_default();
        assert!(tcp.contains("--host=db.example.com --port=3307 --user=wx@ops --password --single"), "{tcp}");
        assert!(tcp.ends_with(r"--result-file='/b/it'\''s.sql' 'we chat')"), "{tcp}");
        assert!(!tcp.contains("a pass") && !tcp.contains("a%20pass"), "{tcp}");
        let socket = line("mariadb://wxops@localhost/wxops?socket=/run/mysqld/mysqld.sock").unwrap_or_default();
        assert!(socket.contains("mysqldump --socket=/run/mysqld/mysqld.sock --user=wxops --single"), "{socket}");
        assert_eq!(line("mysql://wxops@localhost"), None, "no database is named");
    }
}
