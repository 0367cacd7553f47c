//! Stories with the real binary: set the scene, one act, look at what a user would see. One file a group.

#![allow(clippy::unwrap_used)]

#[path = "../../benches/bench/mod.rs"]
mod bench;
mod faults;
mod filters;
mod http;
#[path = "../load/mod.rs"]
mod load;
mod messages;
mod platform;
mod process;
mod redis;
mod rows;
mod signer;
mod stage;
mod stories;
mod sync;

mod adopt;
mod alarms;
mod attackers;
mod backup;
mod callback;
mod check;
mod configuration;
mod copies;
mod doctor;
mod drain;
mod durability;
mod enrichment;
mod erasure;
mod everywhere;
mod explain;
mod export;
mod finished;
mod first_sight;
mod handlers;
mod hooks;
mod jobs;
mod kill9;
mod lifecycle;
mod modes;
mod newcomer;
mod ordeal;
mod own;
mod packaging;
mod positions;
mod purge;
mod pushes;
mod queue;
mod queue_http;
mod quota;
mod readers;
mod readme;
mod refusals;
mod reload;
mod repair;
mod replies;
mod restart;
mod sandbox;
mod scheduled;
mod secrets;
mod sharing;
mod shell;
mod slow_disk;
mod speed;
mod spool;
mod stats;
mod token_service;
mod tokens;
mod verbs;
mod wechatpy;
mod wecom;
