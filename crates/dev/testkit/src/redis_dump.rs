use kit_redis::RedisConfig;
use redis::{AsyncCommands, AsyncIter};

/// A key of Redis as it is stored.
#[derive(Debug)]
pub struct RedisEntry {
    pub key: String,
    /// The value, or the members of a collection, as text.
    pub value: String,
    /// False for a key that would stay for ever.
    pub expires: bool,
}

/// Every key of a test, with its value.
///
/// # Errors
/// When Redis does not answer.
pub async fn redis_dump(config: &RedisConfig) -> anyhow::Result<Vec<RedisEntry>> {
    let client = redis::Client::open(config.url.expose())?;
    let mut connection = client.get_multiplexed_async_connection().await?;
    let mut keys: AsyncIter<'_, String> = connection.scan_match(format!("{}*", config.prefix)).await?;
    let mut names = Vec::new();
    while let Some(key) = keys.next_item().await {
        names.push(key?);
    }
    drop(keys);
    let mut entries = Vec::new();
    for key in names {
        let kind: String = redis::cmd("TYPE").arg(&key).query_async(&mut connection).await?;
        let raw: redis::Value = match kind.as_str() {
            "hash" => connection.hgetall(&key).await?,
            "zset" => redis::cmd("ZRANGE").arg(&key).arg(0).arg(-1).query_async(&mut connection).await?,
            "set" => connection.smembers(&key).await?,
            "list" => connection.lrange(&key, 0, -1).await?,
            // It may have expired meanwhile.
            _ => redis::cmd("GET").arg(&key).query_async(&mut connection).await?,
        };
        let left: i64 = redis::cmd("PTTL").arg(&key).query_async(&mut connection).await?;
        entries.push(RedisEntry { value: format!("{raw:?}"), expires: left != -1, key });
    }
    Ok(entries)
}
