//! wxops operates a WeChat back end. This page is the map of the house.
//!
//! # Floors
//!
//! A room looks down only; rooms on one floor do not see each other. `tests/house.rs` holds this list to the sources.
//!
//! | room | what is in it |
//! |---|---|
//! | [`cli`] | global flags, the table of groups; run a verb, print its result, exit code |
//! | [`serve`] | the door for machines, one file a caller: `wechat.rs`, `wecom.rs`, `health.rs`, `token.rs`; `mod.rs` starts and stops it all |
//! | [`commands`] | the door for people: `wxops token show` is `commands/token/show.rs` |
//! | [`events`] | what a received event does, one file a kind; `worker.rs` handles and settles, `enrich.rs` fetches profiles, `hook/` tells receivers |
//! | [`notify`] | what becomes of a row of the notification queue: `book.rs` who is told, `template.rs` in which words, `message.rs` the request |
//! | [`alarm`] | what is out of the ordinary, and telling people of it once |
//! | [`erase`] | a person out of every store: what each confirms, and the chain of receipts |
//! | [`job`] | the frame of scheduled work: `turn.rs` one run at a time, `run.rs` what it has done and where it goes on; `ping.rs` and `textfile.rs` tell of it |
//! | [`app`] | the configuration and every open thing; the only place that opens them |
//! | [`cache`] | copies in Redis where there is one: last positions, with the loop that keeps them true; tokens for other programs |
//! | [`tokens`] | the keeper of access_tokens: one refresh at a time across processes |
//! | [`platform`] | calls to WeChat: `http.rs` the client, `errcode.rs` the one table of codes, one file a resource |
//! | [`spool`] | callbacks on this host's disk while the database is away: `record.rs`, `segment.rs`, `disk.rs` |
//! | [`store`] | SQL, the only truth: one file a table, `dialect.rs` all that differs, `writer.rs` the group commit |
//! | `sandbox` | the stand-in platform, with its own structs and errcodes (a feature, on by default) |
//! | [`wire`] | bytes to domain and back, pure: signature, envelope, XML, what is accepted and why not |
//! | [`config`] | flag, environment, `.env`, TOML; `keys.rs` is the table of settings |
//! | [`report`] | a result as a table or JSON; errors, log lines; `veil.rs` keeps secrets out of what others say |
//! | [`lifecycle`], [`metrics`] | signals, systemd and the lock of `serve`; what is counted |
//! | [`domain`] | the nouns: account, event, token, secret, clock |
//! | [`error`] | one error: what failed, what next, exit code, what a worker does with the item |
//!
//! The schema is in `sql/sqlite` and `sql/mysql`, the same numbers and names in both.
//!
//! # Walks
//!
//! *A subscribe event.* [`serve`]`/wechat.rs` reads the body within its limits. [`wire`]`/push.rs` checks signature and
//! mode, opens the envelope, parses the XML; `dedupe.rs` makes the key. [`store`]`/writer.rs` commits the row together
//! with those that wait beside it, already leased to this process; only then the 200 goes out. The row is handed on in
//! memory to [`events`]`/worker.rs`, which asks `subscribe.rs` for its effects (statements, not calls) and settles them
//! with the next group commit. What a crash or a full channel left behind, the sweep claims when its lease has run out.
//! `enrich.rs` finds the row due, asks [`platform`]`/wechat/user.rs`, and writes the profile under a guard: still
//! following, and the same following as it was fetched for.
//!
//! *A token refresh.* [`commands`]`/token/refresh.rs` asks [`tokens`]. Long enough alive: nothing to do. Else it takes the
//! lease `token:NAME` in SQL, looks whether another process was faster, asks by `tokens/ask.rs` (the account's own API, or
//! the installation that holds its token), and stores the answer under the next generation. `tokens/hold.rs` keeps the
//! platform's bans, `tokens/past.rs` says who is to blame for a refusal. A call that meets 40001 enters here too: first a newer generation, then a normal
//! refresh, and only when the platform returns the very token it refused, a forced one.
//!
//! *A silence.* Once a minute [`serve`]`/alarm.rs` takes a look with [`alarm`]`/health.rs`. [`store`]`/pulse.rs` finds the
//! last callback, and those around 280 moments of the last weeks; [`domain`]`/silence.rs` says what is usual at this hour.
//! What `finding.rs` makes of it, `tell.rs` takes in the table `alarm`, as one of all processes, and sends to the group
//! robot ([`platform`]`/wecom/webhook.rs`). `wxops status` takes the same look.
//!
//! *A hook.* Whoever wants to hear of an event gets a row in `hook_delivery` with the event's settlement. Its loop in
//! [`events`]`/hook/` takes the row (`sending`, committed), reads the message, calls the endpoint or the command, and
//! writes how it ended. `pulse.rs` rests a receiver that is ill; `store/hook.rs` says what becomes of a row whose process died.
//!
//! *A job.* A verb that a timer runs does all it does within [`job::Frame::whole`]: a ping says that it starts, SIGINT,
//! SIGTERM and `--timeout` end it. In it each [`job::Frame::run`] takes the lease of the job and account, writes a row of
//! `job_run` ([`store`]`/job_run.rs`), which has the checkpoint of the run before where that did not come to its end,
//! and gives both back whatever happens; then the file of metrics is renamed into its place, and a ping says how it went.
//!
//! *A notification.* A member is registered in the CRM's database, by whomever. The trigger that `queue install` put there
//! ([`store`]`/queue/trigger.rs`) writes a row of `member_notification_queue` in the same transaction; with `capture =
//! "poll"` a pass looks for it (`capture.rs`). A drain ([`commands`]`/queue/drain.rs`, once or as a daemon; within `serve`
//! [`serve`]`/queue.rs`, which also answers a monitor) is passes of [`notify`]`/pass.rs`. `plan.rs` claims what is due, in one
//! UPDATE that repeats its condition, asks `book.rs` who is told and in which words, takes the recipients' share of the pace
//! ([`store`]`/queue/pace.rs`), and freezes the request in its row before anything is sent. What exceeds the pace becomes one
//! message that tells of many (`digest.rs`). [`platform`]`/wecom/message.rs` makes the call; `judge.rs` says what an error
//! means for the row and for the channel; `settle.rs` writes how it went. What a drain that died had in hand is due again by
//! the end of its lease: the same bytes go out, marked as what may have gone out twice.
//!
//! # Where is it?
//!
//! - What a verb does: the path that is typed is the path of the file.
//! - What a callback route answers: `wire/push.rs`, of WeCom `wire/wecom.rs` (accepted or why not), then `serve/wechat.rs`
//!   or `serve/wecom.rs`, and `serve/callback.rs` (which status).
//! - Where a callback goes while the database is away: `serve/pulse.rs` (is it?), `serve/keep.rs`, `spool/`; back by `serve/refill.rs`.
//! - What an event changes: `events/` by its kind, then `store/follow.rs` (`store/enrichment.rs` for profiles).
//! - What an erasure takes away: `store/erasure.rs`; which other stores confirm it: `erase/place.rs`.
//! - Whether the day's quota suffices for a job: `commands/budget.rs`; what was cleared and refused: `store/quota.rs`.
//! - Who is told of a member, and in which words: `config/queue/rule.rs`, then `notify/book.rs`, `notify/template.rs`.
//! - Whether a notification is sent again, given up or waits: `notify/judge.rs`; how much a person is sent: `store/queue/pace.rs`.
//! - What `queue install` makes in the CRM's database: `sql/*/queue` to be read, `store/queue/schema.rs` and `trigger.rs`.
//! - What an errcode means: `platform/errcode/wechat.rs`, then `platform/errcode/refusal.rs`.
//! - Whether something is retried: [`error::Then`] at the error, then `events/worker.rs` or `events/enrich.rs`.
//! - Who may call our own API: `config/client.rs`, then `serve/caller.rs`; what is answered: `serve/token.rs`, `serve/problem.rs`.
//! - Whether a silence is an alarm: `domain/silence.rs`; a job's, `domain/rhythm.rs`; whether anything else is: `alarm/finding.rs`.
//! - Whether notifications are late or were given up: `store/queue/watch.rs`, then `alarm/queue.rs`.
//! - A setting: `config/keys.rs`, then `config/mod.rs` or `config/account.rs`.
//! - What SIGHUP changes: `serve/reload.rs`; the table of accounts that requests look at is `serve/accounts.rs`.
//! - Where other programs look for the access_token: `domain/layout/`, one file a library; `cache/token.rs` writes it.
//! - What SQL runs: `store/` by the table's name.
//! - What starts a job: `systemd/` and `cron/wxops`; `commands/init/units.rs` and `crontab.rs` hand them out with the right paths.
//!
//! # Adding
//!
//! | new | where |
//! |---|---|
//! | verb | `commands/GROUP/VERB.rs`, an arm in `commands/GROUP/mod.rs`, Chinese in `cli/zh/GROUP.rs`, both READMEs |
//! | group | the same, a line in the table of `cli.rs`, and one in `cli/zh.rs` |
//! | event handler | `events/KIND.rs`, an arm in `events/mod.rs` |
//! | table about people | its line in `elsewhere` of `store/erasure.rs` |
//! | store beside the tables | a `Place` in `erase/place.rs` |
//! | kind of message or event | a line in `domain/event.rs`; a line in `sandbox/push/events.rs` (of WeCom `sandbox/push/wecom.rs`) to send it |
//! | API of the platform | `platform/wechat/RESOURCE.rs`, a line in `OURS` of its `quota.rs`, and its stand-in in `sandbox/api` |
//! | kind of notification | `domain/notice.rs`, its trigger in `store/queue/trigger.rs`, its headline in `notify/shown.rs` |
//! | form of a message | an arm in `domain/notice/form.rs`, `notify/message.rs`, its escaping in `notify/escape.rs`, its check in `sandbox/office`, both READMEs |
//! | errcode | a row in `platform/errcode/wechat.rs` or `wecom.rs` |
//! | job of a timer | `#[command(flatten)] schedule: Schedule` in its verb, `context.frame`, and within it `frame.run` |
//! | alarm | a kind in `alarm/finding.rs` |
//! | table or column | a numbered file in each `sql/` folder, `store/TABLE.rs` |
//! | setting | a line in `config/keys.rs`, its parser in `config/values.rs`, a row in both READMEs |
//! | route | `serve/CALLER.rs`, a merge in `serve/mod.rs` |
//! | unit or timer | a file in `systemd/`, its line in `commands/init/units.rs`; the same job in `cron/wxops` |
//! | room | a line in the table of `tests/house.rs`, and here |

pub mod alarm;
pub mod app;
pub mod cache;
pub mod cli;
pub mod commands;
pub mod config;
pub mod domain;
pub mod erase;
pub mod error;
pub mod events;
pub mod job;
pub mod lifecycle;
pub mod metrics;
pub mod notify;
pub mod platform;
pub mod report;
#[cfg(feature = "sandbox")]
pub mod sandbox;
pub mod serve;
pub mod spool;
pub mod store;
pub mod tokens;
pub mod wire;
