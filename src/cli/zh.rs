//! Every sentence of the help in Chinese, one file a group. The key is the English sentence of the doc comment, a
//! paragraph each. `cargo test --lib every_sentence` prints the lines that are missing, and what nothing asks for.

mod callback;
mod db;
mod doctor;
mod events;
mod explain;
mod followers;
mod global;
mod init;
mod jobs;
mod locations;
mod own;
mod queue;
mod quota;
mod sandbox;
mod sends;
mod serve;
mod status;
mod token;

/// English, Chinese: the tables of all groups.
const TABLES: &[&[(&str, &str)]] = &[
    global::SENTENCES,
    own::SENTENCES,
    init::SENTENCES,
    serve::SENTENCES,
    status::SENTENCES,
    sandbox::SENTENCES,
    token::SENTENCES,
    callback::SENTENCES,
    quota::SENTENCES,
    followers::SENTENCES,
    locations::SENTENCES,
    events::SENTENCES,
    queue::SENTENCES,
    jobs::SENTENCES,
    sends::SENTENCES,
    db::SENTENCES,
    doctor::SENTENCES,
    explain::SENTENCES,
];

/// All of them.
pub(super) fn sentences() -> impl Iterator<Item = (&'static str, &'static str)> {
    TABLES.iter().copied().flatten().copied()
}

/// The Chinese of a sentence.
pub(super) fn of(english: &str) -> Option<&'static str> {
    sentences().find(|(en, _)| *en == english).map(|(_, zh)| zh)
}
