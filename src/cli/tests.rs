#![allow(clippy::unwrap_used)]

use super::*;
use std::collections::{BTreeMap, BTreeSet};
use unicode_width::UnicodeWidthStr;

fn all(command: &clap::Command, path: &str, visit: &mut dyn FnMut(&str, &clap::Command)) {
    visit(path, command);
    for sub in command.get_subcommands() {
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

/// The Chinese one too, by the columns that a terminal uses; and none of clap's own words is left English.
#[test]
fn chinese_help_fits_80_columns_and_is_chinese() {
    let mut command = tree(Lang::Zh);
    command.build();
    all(&command, "wxops", &mut |path, command| {
        for help in [command.clone().render_long_help(), command.clone().render_help()] {
            let help = translate::rendered(&help.to_string(), Lang::Zh);
            assert!(help.starts_with("示例：\n  wxops"), "{path}: {help}");
            assert!(help.contains("\n用法：wxops"), "{path}: {help}");
            for word in ["Usage", "Options", "Commands", "Arguments", "[default", "[possible", "[alias", "\u{a0}"] {
                assert!(!help.contains(word), "{path}: {word}: {help}");
            }
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
        // `--by-secret` takes nothing.
        let takes = |arg: &&clap::Arg| arg.get_action().takes_values();
        for flag in command.get_arguments().filter(takes).filter_map(|arg| arg.get_long()) {
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
    assert_eq!(flags::guess_color(&args("wxops --color never")), flags::Color::Never);
}

/// Every paragraph of help that the tables are asked for, and the group that asks first.
fn sentences(command: &clap::Command) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    all(command, NAME, &mut |path, command| {
        let abouts = [command.get_about(), command.get_long_about()].into_iter().flatten();
        let args = command.get_arguments().flat_map(|arg| [arg.get_help(), arg.get_long_help()]).flatten();
        let texts = abouts.chain(args).map(ToString::to_string);
        let mut asked_for: Vec<String> =
            texts.flat_map(|text| text.split("\n\n").map(str::to_owned).collect::<Vec<_>>()).collect();
        asked_for.extend(command.get_subcommand_help_heading().map(str::to_owned));
        for arg in command.get_arguments() {
            asked_for.extend(arg.get_help_heading().map(str::to_owned));
            let values = arg.get_possible_values();
            asked_for.extend(values.iter().filter_map(|value| value.get_help().map(ToString::to_string)));
        }
        let group = path.split(' ').nth(1).unwrap_or("global");
        for sentence in asked_for {
            found.entry(sentence).or_insert_with(|| group.to_owned());
        }
    });
    found
}

/// Holds for every verb that is ever added: what is missing is printed as the line to add, and where.
#[test]
fn every_sentence_of_help_has_its_chinese() {
    let asked_for = sentences(&tree(Lang::En));
    let mut missing: Vec<_> = asked_for.iter().filter(|(en, _)| zh::of(en).is_none()).collect();
    missing.sort_by_key(|(_, group)| group.as_str());
    let lines: String =
        missing.iter().map(|(en, group)| format!("src/cli/zh/{group}.rs:    ({en:?}, \"\"),\n")).collect();
    assert!(
        missing.is_empty(),
        "Chinese is missing, of a new group in a file of its own that src/cli/zh.rs names:\n{lines}"
    );
    if cfg!(feature = "sandbox") {
        let stale: Vec<_> = zh::sentences().map(|(en, _)| en).filter(|en| !asked_for.contains_key(*en)).collect();
        assert!(stale.is_empty(), "nothing asks src/cli/zh for {stale:#?}");
    }
    let mut known = BTreeSet::new();
    for (en, zh) in zh::sentences() {
        assert!(known.insert(en), "twice: {en}");
        assert!(is_chinese(zh), "no Chinese: {en}");
        assert!(!is_chinese(en), "Chinese: {en}");
    }
}

fn is_chinese(text: &str) -> bool {
    text.chars().any(|letter| ('\u{4e00}'..'\u{9fff}').contains(&letter))
}
