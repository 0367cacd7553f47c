//! `db`.

/// English, Chinese.
pub(super) const SENTENCES: &[(&str, &str)] = &[
    ("The database: its schema, a backup", "数据库：结构与备份"),
    ("Apply what is missing of the schema", "补上数据库结构中缺少的部分"),
    (
        "Safe twice and by two at once; refuses a schema that is newer. With --adopt it takes over a user_mapping in MySQL that another program made and goes on writing: it shows what it would change, asks, and adds columns and keys; it never narrows, renames or drops.",
        "重复运行或同时运行都安全；数据库结构更新时拒绝执行。加 --adopt 则接管 MySQL 中由其他程序创建并继续写入的 user_mapping：先列出改动并询问，只增加列与键，绝不缩窄、改名或删除。",
    ),
    ("Take over a user_mapping that another program writes", "接管由其他程序写入的 user_mapping"),
    ("Print the SQL to be run by hand, and change nothing", "打印可手工执行的 SQL，不做任何改动"),
    ("Take the table over without asking", "接管时不再询问"),
    ("Show what would be applied", "只显示将应用什么"),
    ("Show what is applied", "查看已应用的部分"),
    ("Exit 78 where something is missing or newer than this wxops.", "有缺少的，或比本程序更新的，退出码为 78。"),
    ("Copy the SQLite database to a file, also while serve runs", "把 SQLite 数据库复制到文件，serve 运行时也可以"),
    (
        "What was acknowledged before is in the copy. It is checked before it gets its name, has mode 0600 and holds access_tokens: keep it as private as the database. For MySQL and MariaDB it names the mysqldump line.",
        "此前已应答的都在副本里。副本先经检查才改为正式文件名，权限 0600，其中有 access_token：请像数据库一样保密。对 MySQL 与 MariaDB 会给出 mysqldump 命令行。",
    ),
    ("The copy", "副本"),
    ("Replace the file if it is there", "文件已存在时将其替换"),
];
