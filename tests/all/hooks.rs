//! Hooks: who is told of events, how often, and what becomes of those who do not listen.

mod commands;
mod doubt;
mod endpoints;
mod erased;
mod receiver;
mod shared;
