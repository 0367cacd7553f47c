//! DDL that the server refuses: what it lacks is named with the GRANT or the setting, for whoever may give it.

use super::super::lost;
use crate::error::{Error, Kind};
use crate::say;

/// The rights that an installation needs; the last two are for the procedures.
const RIGHTS: &str =
    "SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX, DROP, TRIGGER, CREATE ROUTINE, ALTER ROUTINE, EXECUTE";

/// The error, with the server's own words and what to do.
pub(super) fn ddl(error: sqlx::Error) -> Error {
    let (number, why) = match &error {
        sqlx::Error::Database(e) => {
            (e.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>().map(|e| e.number()), e.message().to_owned())
        }
        _ => (None, String::new()),
    };
    let made = match number {
        // Binary logging is on, and who makes a trigger or procedure lacks SUPER.
        Some(1419) => Error::config(say!("the server lets no trigger be made: {why}"; "服务器不允许创建触发器：{why}")).next(say!(
            "let the DBA run SET GLOBAL log_bin_trust_function_creators = 1, or what queue install --print-sql prints; or do without a trigger: --capture poll";
            "请 DBA 执行 SET GLOBAL log_bin_trust_function_creators = 1，或执行 queue install --print-sql 打印的 SQL；也可以不用触发器：--capture poll"
        )),
        // No right to the table (1142), the schema (1044), what a DEFINER or the server asks (1227), a procedure (1370).
        Some(1142 | 1044 | 1370) => Error::config(say!("the database user lacks a right: {why}"; "数据库用户缺少权限：{why}"))
            .next(say!(
                "let the DBA run GRANT {RIGHTS} ON that schema.* TO that user, or what queue install --print-sql prints; without TRIGGER: --capture poll";
                "请 DBA 执行 GRANT {RIGHTS} ON 该库.* TO 该用户，或执行 queue install --print-sql 打印的 SQL；没有 TRIGGER 权限时：--capture poll"
            )),
        Some(1227) => Error::config(say!("the database user lacks a right: {why}"; "数据库用户缺少权限：{why}")).next(say!(
            "another DEFINER than oneself takes SET USER (MariaDB) or SET_USER_ID / SET_ANY_DEFINER (MySQL): leave --definer out, or let the DBA run what queue install --print-sql prints";
            "指定他人为 DEFINER 需要 SET USER（MariaDB）或 SET_USER_ID / SET_ANY_DEFINER（MySQL）权限：请去掉 --definer，或请 DBA 执行 queue install --print-sql 打印的 SQL"
        )),
        // The lock of a table: a transaction has it open.
        Some(1205) => Error::new(
            Kind::Unavailable,
            say!("somebody has the table open in a transaction: {why}"; "有会话的事务占用该表：{why}"),
        )
        .next(say!("look with SHOW PROCESSLIST, then run this again"; "请用 SHOW PROCESSLIST 查看，然后重试")),
        // An AFTER trigger beside another one: MySQL before 5.7.2 takes one.
        Some(1235) => Error::config(say!("the server is too old: {why}"; "服务器版本过旧：{why}"))
            .next(say!("do without a trigger: --capture poll"; "可以不用触发器：--capture poll")),
        _ => return lost(error),
    };
    made.source(error)
}
