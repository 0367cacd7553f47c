//! Messages of this program that name no errcode, and the database drivers' behind them, by a part of their text.

use super::shown::Explained;
use crate::error::Text;
use crate::platform::errcode::{Step, Who, Words};
use serde_json::json;

/// A message and what is to be said of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Own {
    /// Parts of its text, any of which tells it: English and Chinese.
    pub said: &'static [&'static str],
    /// Whose words they are.
    pub by: By,
    cause: Words,
    does: Words,
    mend: Words,
    step: Step,
}

/// Who says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// This program; a test holds the parts to its sources.
    Wxops,
    /// SQLite, MariaDB or MySQL, quoted by this program.
    Database,
}

/// The first message that stands in a line.
pub(super) fn find(line: &str) -> Option<&'static Own> {
    OWN.iter().find(|own| own.said.iter().any(|part| line.contains(part)))
}

impl Own {
    /// Explains it.
    pub fn explain(&self) -> Explained {
        let by = match self.by {
            By::Wxops => Words { en: "a message of wxops", zh: "wxops 的消息" },
            By::Database => Words { en: "the database's own words", zh: "数据库的原话" },
        };
        Explained {
            kind: "message",
            name: self.said[0].trim_matches([':', ' ']).to_owned(),
            title: Text { en: format!("({})", by.en), zh: format!("（{}）", by.zh) },
            cause: self.cause.into(),
            does: self.does.into(),
            mend: self.mend.into(),
            step: self.step,
            command: self.step.command.map(str::to_owned),
            rid: None,
            known: true,
            more: json!({}),
            also: None,
        }
    }
}

const fn own(
    by: By,
    said: &'static [&'static str],
    cause: [&'static str; 2],
    does: [&'static str; 2],
    mend: [&'static str; 2],
    step: Step,
) -> Own {
    let [cause, does, mend] = [cause, does, mend];
    Own {
        said,
        by,
        cause: Words { en: cause[0], zh: cause[1] },
        does: Words { en: does[0], zh: does[1] },
        mend: Words { en: mend[0], zh: mend[1] },
        step,
    }
}

/// While the database is away.
const AWAY: [&str; 2] = [
    "takes callbacks into the spool on this host's disk and moves them in later; where that is off or full it answers 503, so that WeChat sends them again; a command ends with 69",
    "将回调暂存在本机磁盘，恢复后入库；若暂存关闭或已满，则以 503 应答，由微信重发；命令的退出码为 69",
];
const ENDS_78: [&str; 2] = ["ends with 78 before it has done anything", "未做任何事即以 78 退出"];
const GOES_ON: [&str; 2] = ["goes on by itself", "自动继续"];
const NOTHING: [&str; 2] = ["nothing", "无需处理"];

const DB: Step = Step::shell(Who::Operator, "wxops db status", "whether the database answers", "查看数据库是否可用");
const DISK: Step = Step::shell(Who::Operator, "df -h", "which disk is full", "查看哪个磁盘已满");
const DEAD: Step = Step::shell(Who::Operator, "wxops events list --state dead", "what is parked", "查看被搁置的事件");

/// The more exact first: only one is told a line.
#[rustfmt::skip]
static OWN: &[Own] = &[
    own(By::Database, &["database or disk is full", "No space left on device"],
        ["the disk of the database is full", "数据库所在磁盘已满"], AWAY,
        ["make room on the disk", "请腾出磁盘空间"], DISK),
    own(By::Database, &["database is locked", "database table is locked"],
        ["another program holds the SQLite file for long, such as a shell with an open transaction", "另有程序长时间占用 SQLite 文件，例如开着事务的命令行"], AWAY,
        ["end that program; use MariaDB where several processes must write", "请结束该程序；需要多进程写入时改用 MariaDB"], DB),
    own(By::Database, &["database disk image is malformed", "disk I/O error"],
        ["the SQLite file or its disk is damaged", "SQLite 文件或其磁盘已损坏"], AWAY,
        ["stop serve, look at the disk, restore the file from a backup", "请停止 serve，检查磁盘，用备份恢复该文件"], DB),
    own(By::Database, &["Access denied for user"],
        ["the database does not know this user or password", "数据库不接受该用户名或密码"], ENDS_78,
        ["mend user and password in DATABASE_URL (%23 for #), or grant the rights", "请改正 DATABASE_URL 中的用户名与密码（# 写作 %23），或授予权限"], DB),
    own(By::Wxops, &["Redis refuses the login:", "Redis permits it not:", "Redis 拒绝登录：", "Redis 权限不足："],
        ["Redis does not know the user or password of REDIS_URL, or grants it too little", "Redis 不接受 REDIS_URL 中的用户或密码，或权限不足"],
        ["the database answers instead; callbacks never wait for Redis", "由数据库应答；回调从不等待 Redis"],
        ["mend REDIS_URL, or the rights of its user on the keys wxops:*", "请改正 REDIS_URL，或授予其用户对 wxops:* 的权限"],
        Step::shell(Who::Operator, "wxops doctor", "whether Redis answers", "查看 Redis 是否可用")),
    own(By::Wxops, &["Redis failed:", "Redis 出错："],
        ["Redis does not answer, or not in time", "Redis 没有应答，或未及时应答"],
        ["the database answers instead; callbacks never wait for Redis, and its copies are made anew when it is back", "由数据库应答；回调从不等待 Redis，恢复后副本会自动补齐"],
        ["look at the Redis server and at REDIS_URL", "请检查 Redis 服务与 REDIS_URL"],
        Step::shell(Who::Operator, "wxops doctor", "whether Redis answers", "查看 Redis 是否可用")),
    own(By::Database, &["Unknown database"],
        ["there is no database of that name on the server", "服务器上没有该名称的库"], ENDS_78,
        ["CREATE DATABASE, then wxops db migrate; or mend DATABASE_URL", "请先 CREATE DATABASE，再执行 wxops db migrate；或改正 DATABASE_URL"],
        Step::shell(Who::Operator, "wxops db migrate", "after the database is made", "建库之后执行")),
    own(By::Database, &["Too many connections"],
        ["the database server has no connection left", "数据库服务器的连接已用完"], AWAY,
        ["raise max_connections, or find who keeps them (SHOW PROCESSLIST)", "请提高 max_connections，或用 SHOW PROCESSLIST 找出占用者"], DB),
    own(By::Database, &["Deadlock found when trying to get lock", "Lock wait timeout exceeded"],
        ["two transactions waited for each other, or one was held open long", "两个事务互相等待，或有事务长时间未结束"],
        ["repeats the transaction; where that does not help, the row is tried again later", "重试该事务；仍不成功则稍后再处理该行"],
        ["nothing if it comes seldom; else find the long transaction (SHOW PROCESSLIST)", "偶发无需处理；否则用 SHOW PROCESSLIST 找出长事务"], DB),
    own(By::Wxops, &["the database does not take callbacks"],
        ["a commit failed or took over 2 s: the database is away, hangs, or its disk is full", "提交失败或超过 2 秒：数据库不可用、无响应或磁盘已满"], AWAY,
        ["look at the database; wxops goes on by itself when it is back", "请检查数据库；恢复后 wxops 自动继续"], DB),
    own(By::Wxops, &["the spool can't be written"],
        ["the disk of the spool is full or failing, or spool_max is reached", "暂存目录所在磁盘已满或故障，或已达到 spool_max"],
        ["refuses callbacks with 503 while the database is away too; tries again each second", "数据库也不可用期间以 503 拒绝回调；每秒重试"],
        ["make room, mend the database, or raise spool_max", "请腾出空间、修复数据库，或提高 spool_max"], DISK),
    own(By::Wxops, &["the spool is off"],
        ["its usual folder is in memory (tmpfs), where nothing outlives the host", "其默认目录位于内存（tmpfs），主机停止后内容会丢失"],
        ["refuses callbacks with 503 while the database is away", "数据库不可用期间以 503 拒绝回调"],
        ["set WXOPS_SPOOL_DIR to a folder on a disk", "请将 WXOPS_SPOOL_DIR 设为磁盘上的目录"],
        Step::shell(Who::Operator, "wxops doctor", "where the spool is", "查看暂存目录")),
    own(By::Wxops, &["the database refuses a spooled callback"],
        ["a constraint or a trigger of the database refuses this one callback", "数据库的约束或触发器拒绝了这一条回调"],
        ["sets it aside as *.refused in the spool; the others go on", "搁置为暂存目录中的 *.refused；其余继续"],
        ["mend the constraint, then rename *.refused to *.spool", "修复约束后，将 *.refused 改名为 *.spool"],
        Step::shell(Who::Operator, "wxops doctor", "which files are set aside", "查看搁置的文件")),
    own(By::Wxops, &["can't be reached: ", "无法连接数据库"],
        ["the database server does not answer: it is down, elsewhere, or a firewall is between", "数据库服务器没有应答：未运行、地址不对或被防火墙拦截"], AWAY,
        ["start the server, or mend DATABASE_URL", "请启动服务器，或改正 DATABASE_URL"], DB),
    own(By::Wxops, &["the database refuses the login", "数据库拒绝登录"],
        ["user, password or name of the database is wrong", "数据库的用户名、密码或库名有误"], ENDS_78,
        ["mend DATABASE_URL; see that database and user exist on the server", "请改正 DATABASE_URL，并确认库与用户存在"], DB),
    own(By::Wxops, &["no or an old schema", "数据库结构缺失或过旧"],
        ["the tables are missing or of an older wxops", "表不存在，或属于旧版 wxops"], ENDS_78,
        ["bring the schema up to date, then start again", "请更新数据库结构后再启动"],
        Step::shell(Who::Operator, "wxops db migrate", "--dry-run shows the plan", "加 --dry-run 先看计划")),
    own(By::Wxops, &["it was migrated by a later one", "它已由更新版本的 wxops 迁移"],
        ["this program is older than the schema of the database", "程序比数据库结构旧"], ENDS_78,
        ["install the later wxops", "请安装更新的 wxops"],
        Step::shell(Who::Operator, "wxops --version", "the version that runs", "查看当前版本")),
    own(By::Wxops, &["another wxops serve works on this database", "另一个 wxops serve 正在使用该数据库"],
        ["a second serve was started on one SQLite file", "在同一个 SQLite 文件上启动了第二个 serve"],
        ["ends with 75; the first goes on undisturbed", "以 75 退出；先启动的不受影响"],
        ["stop one of them; several need MariaDB or MySQL", "请停止其中一个；多进程需用 MariaDB 或 MySQL"],
        Step::shell(Who::Operator, "systemctl status wxops", "whether the unit runs it", "查看是否由服务启动")),
    own(By::Wxops, &["can't be written", "不可写"],
        ["the database file or its folder belongs to another user, or the disk is mounted read-only", "数据库文件或目录属于其他用户，或磁盘以只读挂载"], ENDS_78,
        ["give file and folder to the user who runs wxops", "请把文件与目录授权给运行 wxops 的用户"], DB),
    own(By::Wxops, &["is no SQLite database", "不是 SQLite 数据库"],
        ["DATABASE_URL names a file of another kind", "DATABASE_URL 指向的不是 SQLite 文件"], ENDS_78,
        ["name another file with DATABASE_URL", "请用 DATABASE_URL 指定另一个文件"], DB),
    own(By::Wxops, &["this database is marked", "该数据库标记为"],
        ["sandbox and real accounts are not mixed in one database", "沙箱账号与真实账号不能共用一个数据库"], ENDS_78,
        ["use another DATABASE_URL", "请使用另一个 DATABASE_URL"], DB),
    own(By::Wxops, &["can't listen on", "无法监听"],
        ["another program has the port, or it is below 1024", "端口被占用，或小于 1024"], ENDS_78,
        ["stop what listens there, or set WXOPS_LISTEN and WXOPS_METRICS_LISTEN", "请停止占用者，或修改 WXOPS_LISTEN 与 WXOPS_METRICS_LISTEN"],
        Step::shell(Who::Operator, "ss -ltnp", "who listens where", "查看端口占用")),
    own(By::Wxops, &["waiting were refused", "the database failed", "数据库出错"],
        ["the database failed in the middle of a commit or a query", "数据库在提交或查询时出错"], AWAY,
        ["look at the database; the words behind it are its own", "请检查数据库；其后是数据库的原话"], DB),
    own(By::Wxops, &["the database does not keep up", "数据库写入跟不上"],
        ["commits take longer than callbacks come", "提交速度跟不上回调到达"], AWAY,
        ["look at the disk of the database (iostat -x 1) and at other load", "请查看数据库磁盘（iostat -x 1）与其他负载"], DB),
    own(By::Wxops, &["URL check answered"],
        ["wxops answered the console's URL check; where the console still complains, something changed the answer on its way: a line break, a banner, a security page, or it came after 5 s", "wxops 已应答后台的 URL 校验；若后台仍报错，则应答在途中被改动：加了换行、横幅、安全页面，或超过 5 秒"],
        ["has done its part", "已完成应做的部分"],
        ["look at what stands before serve: the answer must be the echostr and nothing else", "请检查 serve 前面的代理：应答必须只有 echostr"],
        Step::shell(Who::Operator, "wxops callback check", "what reaches the console, and what was changed", "查看后台收到什么、哪里被改动")),
    own(By::Wxops, &["no connection to ", "无法连接", "未能连上"],
        ["WeChat's API is not reached: DNS, firewall, or `proxy`", "无法访问微信接口：DNS、防火墙或 `proxy` 设置"],
        ["pauses the account at no item's cost, probes it, and goes on by itself", "暂停该账号，不计入重试次数，探测恢复后自动继续"],
        ["try the host from this machine with curl; mend DNS, firewall or proxy", "请在本机用 curl 测试该主机；修复 DNS、防火墙或代理"],
        Step::shell(Who::Operator, "curl -sI https://api.weixin.qq.com", "whether this machine reaches it", "查看本机能否访问")),
    own(By::Wxops, &["a proxy or captive portal?", "是否经过代理或认证门户", "not the platform's own answer"],
        ["something between this machine and WeChat answered in its place", "本机与微信之间有别的东西代为应答"],
        ["pauses the account at no item's cost, probes it, and goes on by itself", "暂停该账号，不计入重试次数，探测恢复后自动继续"],
        ["look at the proxy or gateway before this machine", "请检查本机前面的代理或网关"],
        Step::shell(Who::Operator, "curl -s https://api.weixin.qq.com/cgi-bin/token", "WeChat answers with an errcode, nothing else does", "微信会返回 errcode，其他则不会")),
    own(By::Wxops, &["user/info given up"],
        ["a person's data could not be had in 8 tries, or WeChat does not know the openid", "8 次均未取得该用户资料，或微信不认识该 openid"],
        ["leaves the row without data; the errcode behind it says why", "该行没有资料；其后的 errcode 说明原因"],
        ["mend the cause, then replay the subscribe event", "消除原因后重放其 subscribe 事件"],
        Step::shell(Who::Operator, "wxops followers show OPENID", "the error of this person", "查看此人的错误")),
    own(By::Wxops, &["could not be asked about yet", "未能查询"],
        ["events repair found people in whom WeChat's list and the table differ, and user/info failed on some of them", "events repair 发现微信列表与表有差异，其中部分用户的 user/info 查询失败"],
        ["a running serve goes on with those who are due; nobody is taken for gone unasked", "运行中的 serve 会继续查询到期的用户；未经查询不会当作取消关注"],
        ["run it again later; followers show tells why it failed on a person", "稍后重新运行；某人失败的原因见 followers show"],
        Step::shell(Who::Operator, "wxops followers list --where 'info_error known'", "who, and why", "有哪些人及原因")),
    own(By::Wxops, &["the list goes in circles", "列表在循环"],
        ["a page of user/get told nobody who was not in one before: what answers is not WeChat, or its list is broken", "user/get 的一页全是之前出现过的人：应答者不是微信，或其列表有误"],
        ["ends with 1; nobody is taken for gone", "以 1 退出；没有人被当作取消关注"],
        ["look at api_base and proxy; run it again later", "请检查 api_base 与 proxy；稍后重试"],
        Step::shell(Who::Operator, "wxops doctor", "where calls go", "查看调用的去向")),
    own(By::Wxops, &["event parked as dead"],
        ["a callback failed 8 times", "一个回调已失败 8 次"],
        ["keeps it as dead with its error, the others go on", "置为 dead 并保留错误，其余继续"],
        ["mend what its error says, then wxops events replay --dead", "按错误处理后执行 wxops events replay --dead"], DEAD),
    own(By::Wxops, &["could not be settled now"],
        ["the database was away while events were handled", "处理事件时数据库不可用"],
        ["handles them again in 30 s", "30 秒后再处理"], NOTHING, DEAD),
    own(By::Wxops, &["the channel is well again"],
        ["what had paused the account or API has passed", "此前暂停的账号或接口已恢复"], GOES_ON, NOTHING, DEAD),
    own(By::Wxops, &["the platform returned the token that it refused"],
        ["WeChat refused a token and then gave the same one again", "微信拒绝了某个 token，随后又返回同一个"],
        ["forces a new one, at most once a minute and 10 times a day", "强制换取新 token，每分钟至多 1 次、每天 10 次"],
        ["nothing if it comes once; else find the other program that refreshes this account's token", "偶发一次无需处理；否则请找出另一个刷新该账号 token 的程序"],
        Step::shell(Who::Operator, "wxops token show", "who brought the token, and when", "查看 token 的来源与时间")),
    own(By::Wxops, &["no token is forced now", "现在不能强制刷新 token"],
        ["a new token was forced less than a minute ago, or 10 times today", "不到一分钟前刚强制刷新过，或今天已强制 10 次"],
        ["keeps the token that it has; a command ends with 77", "沿用现有 token；命令的退出码为 77"],
        ["wait a minute; if it comes again, find the other program that refreshes this account's token", "请等一分钟；若再出现，请找出另一个刷新该账号 token 的程序"],
        Step::shell(Who::Operator, "wxops token show", "who brought the token, and when", "查看 token 的来源与时间")),
    own(By::Wxops, &["a store did not confirm an erasure", "not yet confirmed by", "尚未确认："],
        ["somebody is erased in the database; another store can't be cleared just now", "用户已从数据库清除；另有存储暂时无法清空"],
        ["tries again, after 1 s and up to 10 minutes, and gives the receipt then", "从 1 秒到 10 分钟间隔重试，之后出具回执"],
        ["see to it that the store named can be reached and a serve runs", "请确保所列存储可访问，且 serve 在运行"],
        Step::shell(Who::Operator, "wxops followers show OPENID", "which store is pending, and why", "查看待确认的存储与原因")),
    own(By::Wxops, &["does not fit into the chain", "号回执与链不符"],
        ["a receipt of an erasure was changed or taken out of the table", "某份清除回执被改动或从表中删除"],
        ["adds new receipts to the chain as it stands", "新的回执仍接在现有的链上"],
        ["find out who writes to the table erasure; compare it with a backup", "请查明谁写过 erasure 表，并与备份比对"],
        Step::shell(Who::Operator, "wxops followers forget --verify", "the first receipt that does not fit", "查看第一份不符的回执")),
    own(By::Wxops, &["this event has no OpenID"],
        ["WeChat sent a privacy event without saying whom it is about; that was seen before", "微信推送的隐私事件未说明涉及谁，此前也有过"],
        ["stores it and does nothing", "存储该事件，不作处理"], NOTHING, DEAD),
    own(By::Wxops, &["innodb_flush_log_at_trx_commit is"],
        ["the database server does not write each commit to its disk", "数据库服务器并非每次提交都落盘"],
        ["serves all the same; a crash of that host may lose what was acknowledged", "照常服务；该主机崩溃可能丢失已确认的回调"],
        ["SET GLOBAL innodb_flush_log_at_trx_commit = 1, and in my.cnf", "请执行 SET GLOBAL innodb_flush_log_at_trx_commit = 1，并写入 my.cnf"], DB),
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{By, OWN};
    use std::path::Path;

    fn sources(folder: &Path, all: &mut String) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => sources(&path, all),
                false if path.ends_with("explain/own.rs") => {}
                false => all.push_str(&std::fs::read_to_string(path).unwrap()),
            }
        }
    }

    #[test]
    fn what_is_explained_is_said_somewhere() {
        let mut all = String::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut all);
        let ours = OWN.iter().filter(|own| own.by == By::Wxops).flat_map(|own| own.said);
        for part in ours {
            assert!(all.contains(part), "no source says {part:?}");
        }
    }
}
