//! `jobs`, and the flags of every verb that a timer runs.

/// English, Chinese.
pub(super) const SENTENCES: &[(&str, &str)] = &[
    ("What scheduled jobs have done, run by run", "定时任务的历次运行"),
    ("List runs, newest first", "列出历次运行，最近的在前"),
    ("Only of this job: \"followers sync\"", "只看该任务：\"followers sync\""),
    ("Only those that somebody should look at", "只看需要关注的"),
    (
        "Show one run: what it did, why it failed, where the next goes on",
        "查看一次运行：做了什么、为何失败、下次从何处继续",
    ),
    ("The run's id", "运行的编号"),
    (
        "Tell this address of the start, and of the end with exit code and log, as healthchecks.io has it",
        "向该地址通知开始与结束（含退出码和日志），与 healthchecks.io 的约定一致",
    ),
    (
        "Write how it ended into this file, for node_exporter's textfile collector",
        "把运行结果写入该文件，供 node_exporter 的 textfile 采集器读取",
    ),
];
