//! `help`, `completions`, `man`.

/// English, Chinese.
pub(super) const SENTENCES: &[(&str, &str)] = &[
    ("Show the help of a verb, or what the exit codes mean", "显示某个命令的帮助，或各退出码的含义"),
    ("exit-codes, or a group and its verb", "exit-codes，或命令组及其命令"),
    ("Print the completions of a shell", "输出某种 shell 的补全脚本"),
    (
        "bash: into /etc/bash_completion.d/wxops. zsh: into a file _wxops in a folder of $fpath. fish: into \
         ~/.config/fish/completions/wxops.fish.",
        "bash：存为 /etc/bash_completion.d/wxops。zsh：存为 $fpath 中某个目录下的 _wxops。fish：存为 \
         ~/.config/fish/completions/wxops.fish。",
    ),
    ("Which shell", "哪种 shell"),
    ("Print a manual page, or write all of them into a folder", "输出一页手册，或把全部手册写入目录"),
    ("Write the page of every verb into this folder", "把每个命令的手册页写入该目录"),
    ("A group and its verb; without, the page of wxops itself", "命令组及其命令；不写则为 wxops 自己的手册页"),
];
