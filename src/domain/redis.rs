//! The URL of a Redis: one server, or a cluster of which some nodes are named.

/// What the URL of a cluster begins with.
const CLUSTER: &str = "redis-cluster://";

/// Whether the URL names a cluster.
pub fn is_cluster(url: &str) -> bool {
    url.starts_with(CLUSTER)
}

/// A URL for each node, with the user and password that they share; one, where it is no cluster.
pub fn nodes(url: &str) -> Vec<String> {
    let Some(rest) = url.strip_prefix(CLUSTER) else { return vec![url.to_owned()] };
    let (who, hosts) = rest.rsplit_once('@').map_or((String::new(), rest), |(who, hosts)| (format!("{who}@"), hosts));
    hosts.trim_end_matches('/').split(',').map(|host| format!("redis://{who}{host}")).collect()
}
