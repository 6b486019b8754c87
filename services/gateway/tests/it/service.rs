use std::net::SocketAddr;

use gateway::{Config, start};
use kit::env::Env;
use kit::lifecycle::Shutdown;
use kit_redis::RedisConfig;
use reqwest::{Client, RequestBuilder, Response};

/// The gateway with Redis and without the other services.
pub(crate) struct Gateway {
    http: Client,
    url: String,
    addresses: gateway::Addresses,
    shutdown: Shutdown,
}

impl Gateway {
    pub(crate) async fn start() -> Self {
        Self::start_on("127.0.0.1:0").await
    }

    pub(crate) async fn start_on(addr: &str) -> Self {
        Self::start_with(addr, testkit::redis().await.unwrap()).await
    }

    /// Starts one on this Redis, which another may share.
    pub(crate) async fn start_with(addr: &str, redis: RedisConfig) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let nobody = "http://127.0.0.1:1".to_owned();
        let peers = ["AUTH_GRPC_URL", "SONGLIST_GRPC_URL", "PAYMENTS_GRPC_URL"].map(|name| (name, nobody.clone()));
        let mut config = Config::from_env(&mut Env::of(peers));
        config.http_addr = addr.parse().unwrap();
        config.ops_addr = "127.0.0.1:0".parse().unwrap();
        config.redis = redis;
        let shutdown = Shutdown::new();
        let addresses = start(config, shutdown.clone()).await.unwrap();
        let http = Client::builder().build().unwrap();
        Self { http, url: format!("http://127.0.0.1:{}", addresses.http.port()), addresses, shutdown }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addresses.http
    }

    pub(crate) async fn metrics(&self) -> String {
        let url = format!("http://{}/metrics", self.addresses.ops);
        self.http.get(url).send().await.unwrap().text().await.unwrap()
    }

    /// The status of a GET that is sent from a local address.
    pub(crate) async fn send_to(&self, from: &str, path: &str) -> u16 {
        let http = Client::builder().local_address(Some(from.parse().unwrap())).build().unwrap();
        http.get(format!("{}{path}", self.url)).send().await.unwrap().status().as_u16()
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        self.http.request(method.parse().unwrap(), format!("{}{path}", self.url))
    }

    pub(crate) async fn send(&self, method: &str, path: &str) -> Response {
        self.request(method, path).send().await.unwrap()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.shutdown.stop();
        self.shutdown.hard.cancel();
    }
}

/// The `code` of an error.
pub(crate) async fn code(response: Response) -> String {
    let body: serde_json::Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    body.get("code").and_then(serde_json::Value::as_str).unwrap().to_owned()
}
