//! `sends`.

/// English, Chinese.
pub(super) const SENTENCES: &[(&str, &str)] = &[
    ("What was sent to the outside", "对外发送的内容"),
    ("List every send whose outcome is not known", "列出所有结果未知的发送"),
    (
        "These are deliveries to hooks that may or may not have arrived, and that are not repeated by themselves. Exit \
         4 where there is one: look at the receiver, then say that it arrived (--delivered), or send it again (wxops \
         events replay ID --hook NAME).",
        "即可能已到达、也可能未到达 hook、且不会自动重发的投递。存在这样的投递时退出码为 4：请向接收方核实，\
         然后标记为已到达（--delivered），或重新发送（wxops events replay 编号 --hook 名称）。",
    ),
    ("It arrived: the SEND of a row, as a person found out", "已到达：某一行的投递编号，由人核实"),
];
