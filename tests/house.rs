//! The floors of the house as a test: a room looks down only. A new room is a new line in [`ROOMS`].

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

/// (room, what it may import directly; what those may import, it may too).
const ROOMS: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("domain", &["error"]),
    ("wire", &["domain"]),
    ("config", &["domain"]),
    ("report", &["domain"]),
    ("lifecycle", &["domain"]),
    ("metrics", &["domain"]),
    ("store", &["domain"]),
    ("search", &["domain"]),
    ("platform", &["wire"]),
    ("sandbox", &["wire"]),
    ("spool", &["store", "wire"]),
    ("cache", &["store"]),
    ("tokens", &["cache", "store", "platform"]),
    (
        "app",
        &[
            "tokens",
            "spool",
            "cache",
            "search",
            "platform",
            "store",
            "wire",
            "config",
            "report",
            "lifecycle",
            "metrics",
        ],
    ),
    ("erase", &["app"]),
    ("job", &["erase"]),
    ("events", &["erase"]),
    ("alarm", &["erase"]),
    ("notify", &["erase"]),
    ("commands", &["job", "events", "alarm", "notify"]),
    ("commands/sandbox", &["commands", "sandbox"]),
    ("serve", &["commands", "events", "notify", "sandbox"]),
    ("cli", &["serve", "commands", "commands/sandbox"]),
    ("lib", &["cli"]),
    ("main", &["cli"]),
];

/// Macros that `#[macro_export]` puts at the root of the crate, and the room they come from.
const MACROS: &[(&str, &str)] = &[("say", "error")];

#[test]
fn no_room_looks_up() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut faults = Vec::new();
    let mut to_sandbox = 0;
    for file in files(&source) {
        let name = file.strip_prefix(&source).unwrap().with_extension("").to_string_lossy().into_owned();
        if name.ends_with("tests") || name.contains("tests/") {
            continue;
        }
        let text = without_tests(&fs::read_to_string(&file).unwrap());
        let room = room_of(&name);
        to_sandbox += if room == "serve" { text.matches("crate::sandbox").count() } else { 0 };
        faults.extend(looks_up(&room, &seen(&name, &text)).into_iter().map(|fault| format!("src/{name}.rs: {fault}")));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(to_sandbox <= 1, "serve names crate::sandbox {to_sandbox} times; one line is for --sandbox");
}

#[test]
fn a_look_up_is_found() {
    let text = without_tests(
        "use crate::{domain::clock, store::{inbox, user}, say};\n// crate::cli\n#[cfg(test)]\nmod tests { use crate::cli; }\nfn f() { super::super::events::go() }",
    );
    assert_eq!(seen("wire/xml", &text), ["domain", "store", "error", "events"]);
    assert_eq!(looks_up("wire", &["domain".into(), "wire".into(), "error".into()]), [""; 0]);
    assert_eq!(looks_up("wire", &["store".into()]).len(), 1);
    assert_eq!(looks_up("commands/sandbox", &["sandbox".into(), "app".into()]), [""; 0]);
    assert_eq!(looks_up("commands", &["sandbox".into()]).len(), 1);
    assert_eq!(looks_up("attic", &[]).len(), 1);
    assert_eq!(room_of("commands/sandbox/push"), "commands/sandbox");
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
    found
}

fn room_of(name: &str) -> String {
    match name.split('/').collect::<Vec<_>>()[..] {
        ["commands", "sandbox", ..] => "commands/sandbox".into(),
        [room, ..] => room.into(),
        [] => String::new(),
    }
}

/// The faults of a room that names these others.
fn looks_up(room: &str, named: &[String]) -> Vec<String> {
    if !ROOMS.iter().any(|(name, _)| *name == room) {
        return vec![format!("the room `{room}` has no line in tests/house.rs")];
    }
    let below = below(room);
    let own = room.split('/').next().unwrap();
    let foreign = |other: &&String| *other != own && *other != "lib" && !below.contains(&other.as_str());
    named.iter().filter(foreign).map(|other| format!("`{room}` may not import `{other}`")).collect()
}

fn below(room: &str) -> Vec<&'static str> {
    let direct = ROOMS.iter().find(|(name, _)| *name == room).map_or(&[][..], |(_, rooms)| rooms);
    direct.iter().flat_map(|other| [vec![*other], below(other)].concat()).collect()
}

/// The code alone: no comments, and nothing behind `#[cfg(test)]`.
fn without_tests(text: &str) -> String {
    let code: String = text.lines().map(|line| line.split("//").next().unwrap_or("").to_owned() + "\n").collect();
    let mut parts = code.split("#[cfg(test)]");
    let mut kept = parts.next().unwrap_or("").to_owned();
    for part in parts {
        kept.push_str(after_item(part));
    }
    kept
}

/// What follows the first item: behind its `;` or its closing brace.
fn after_item(text: &str) -> &str {
    let mut depth = 0;
    for (at, letter) in text.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 && (letter == ';' || letter == '}') {
            return &text[at + 1..];
        }
    }
    ""
}

/// The rooms that a file names, by `crate::` or by enough `super::`.
fn seen(name: &str, text: &str) -> Vec<String> {
    let depth = name.split('/').filter(|part| *part != "mod").count();
    let text = text.replace(&"super::".repeat(depth.max(1)), "crate::");
    let rooms = text.split("crate::").skip(1).flat_map(heads);
    rooms.map(|head| MACROS.iter().find(|(name, _)| *name == head).map_or(head, |(_, room)| (*room).into())).collect()
}

/// `a::b` names a; `{a::b, c}` names a and c.
fn heads(path: &str) -> Vec<String> {
    let word = |text: &str| text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let Some(group) = path.strip_prefix('{') else { return vec![word(path)] };
    let (mut depth, mut names) = (0, vec![String::new()]);
    for letter in group.chars() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(String::new()),
            _ if depth == 0 => names.last_mut().unwrap().push(letter),
            _ => {}
        }
    }
    names.iter().map(|name| word(name)).filter(|name| !name.is_empty()).collect()
}
