#![allow(clippy::unwrap_used)]

use super::*;
use unicode_width::UnicodeWidthStr;

fn all(command: &clap::Command, path: &str, visit: &mut dyn FnMut(&str, &clap::Command)) {
    visit(path, command);
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        all(sub, &format!("{path} {}", sub.get_name()), visit);
    }
}

#[test]
fn the_definition_is_sound() {
    Cli::command().debug_assert();
}

/// Holds for every verb that is ever added.
#[test]
fn help_fits_80_columns_and_begins_with_an_example() {
    let mut command = Cli::command();
    command.build();
    all(&command, "wxops", &mut |path, command| {
        let long = command.clone().render_long_help().to_string();
        for help in [long, command.clone().render_help().to_string()] {
            assert!(help.starts_with("Example:\n  wxops"), "{path}: {help}");
            for line in help.lines() {
                assert!(line.width() <= 80, "{path}: {line}");
            }
        }
    });
}

/// No flag takes a secret; flags that name a file may.
#[test]
fn no_flag_takes_a_secret() {
    let mut command = Cli::command();
    command.build();
    all(&command, "wxops", &mut |path, command| {
        for flag in command.get_arguments().filter_map(|arg| arg.get_long()) {
            let secret = ["secret", "password", "aes-key", "token"].iter().any(|word| flag.ends_with(word));
            assert!(!secret, "{path} --{flag}");
        }
    });
}

#[test]
fn the_form_is_known_before_parsing() {
    let args = |line: &str| line.split(' ').map(OsString::from).collect::<Vec<_>>();
    for line in ["wxops tokne --json", "wxops --format json x", "wxops --format=json x"] {
        assert_eq!(flags::guess_format(&args(line)), Format::Json, "{line}");
    }
    assert_eq!(flags::guess_format(&args("wxops --format table x")), Format::Table);
    assert_eq!(flags::guess_color(&args("wxops --color never")), clap::ColorChoice::Never);
}
