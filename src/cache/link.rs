//! A connection to one server or to a cluster, with limits: nobody waits long for a copy.

use crate::domain::redis::{is_cluster, nodes};
use crate::domain::secret::Secret;
use crate::error::{Error, Result, Then};
use crate::say;
use redis::aio::MultiplexedConnection;
use redis::cluster::ClusterClientBuilder;
use redis::cluster_async::ClusterConnection;
use redis::{
    AsyncConnectionConfig, Client, ErrorKind, FromRedisValue, Pipeline, RedisError, RedisResult, ServerErrorKind,
};
use std::time::Duration;

/// How long a connection may take to be made, and an answer to come.
const CONNECT: Duration = Duration::from_secs(2);
const ANSWER: Duration = Duration::from_secs(3);
/// How long Redis is left alone after a failure.
const AWAY: Duration = Duration::from_secs(1);
/// Tries of a command in a cluster that moves its slots.
const RETRIES: u32 = 3;

/// An open connection; clones share it.
#[derive(Clone)]
pub(super) enum Link {
    One(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Link {
    /// Connects.
    pub async fn open(url: &Secret) -> Result<Link> {
        match tokio::time::timeout(CONNECT, connect(url.reveal())).await {
            Ok(link) => link.map_err(failed),
            Err(_) => Err(away("no connection within 2 s")),
        }
    }

    /// Sends commands about keys of one shard, and reads their answers.
    pub async fn ask<T: FromRedisValue>(&mut self, pipe: &Pipeline) -> Result<T> {
        let answer = async {
            match self {
                Link::One(link) => pipe.query_async(link).await,
                Link::Cluster(link) => pipe.query_async(link).await,
            }
        };
        match tokio::time::timeout(ANSWER, answer).await {
            Ok(answer) => answer.map_err(failed),
            Err(_) => Err(away("no answer within 3 s")),
        }
    }
}

async fn connect(url: &str) -> RedisResult<Link> {
    if is_cluster(url) {
        let client = ClusterClientBuilder::new(nodes(url))
            .connection_timeout(CONNECT)
            .response_timeout(ANSWER)
            .retries(RETRIES)
            .build()?;
        return client.get_async_connection().await.map(Link::Cluster);
    }
    let config = AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECT)).set_response_timeout(Some(ANSWER));
    let client = Client::open(url)?;
    client.get_multiplexed_async_connection_with_config(&config).await.map(Link::One)
}

fn away(why: &str) -> Error {
    Error::unavailable(say!("Redis failed: {why}"; "Redis 出错：{why}"))
        .next(say!(
            "check REDIS_URL and the server; until then the database answers";
            "请检查 REDIS_URL 与 Redis 服务；在此之前由数据库应答"
        ))
        .then(Then::Pause { after: AWAY, whole_account: false })
}

/// A login that is refused is a matter of the configuration; all else passes.
fn failed(error: RedisError) -> Error {
    let why = error.to_string();
    match error.kind() {
        ErrorKind::AuthenticationFailed | ErrorKind::InvalidClientConfig => {
            Error::config(say!("Redis refuses the login: {why}"; "Redis 拒绝登录：{why}"))
                .next(say!("check user and password in REDIS_URL"; "请检查 REDIS_URL 中的用户与密码"))
                .source(error)
        }
        ErrorKind::Server(ServerErrorKind::NoPerm) => {
            Error::config(say!("Redis permits it not: {why}"; "Redis 权限不足：{why}"))
                .next(say!(
                    "give the user of REDIS_URL the keys wxops:* and those of token_redis_layout";
                    "请授予 REDIS_URL 中的用户对 wxops:* 及 token_redis_layout 所用键的权限"
                ))
                .source(error)
        }
        _ => away(&why).source(error),
    }
}
