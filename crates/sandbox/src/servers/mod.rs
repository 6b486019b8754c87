//! Private PostgreSQL and Redis servers of one owner: they listen on loopback, keep their data in a folder of their own and
//! end with the process that started them, even when it is killed.

mod postgres;
mod programs;
mod redis;
mod spawn;

pub use postgres::{Postgres, PostgresOptions};
pub use programs::{postgres_program, redis_program};
pub use redis::{Redis, RedisOptions};
pub use spawn::spawn_until_we_end;

use std::net::{Ipv4Addr, TcpListener};

/// A port nobody listens on now.
///
/// # Errors
/// When loopback has none.
pub fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
