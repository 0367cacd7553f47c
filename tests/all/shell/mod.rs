//! What people who live in a shell, crontab and systemd expect of every verb. The verbs are found by asking the program:
//! a new one is held to all of it without being named here.

mod errors;
mod help;
mod made;
pub mod pty;
mod scene;
mod streams;
mod terminal;
mod wrong;
