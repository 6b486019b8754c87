//! Where images are kept: a folder, or an S3-compatible store.

use std::sync::Arc;
use std::time::Duration;

use kit::env::Env;
use kit::{Error, Secret};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ClientOptions, ObjectStore, ObjectStoreExt, PutPayload, RetryConfig};
use ring::hmac;

/// How long one request to an S3-compatible store may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The settings of the store.
#[derive(Clone)]
pub struct MediaConfig {
    /// The folder.
    pub root: String,
    /// `s3://bucket` instead of the folder; empty for the folder.
    pub url: String,
    endpoint: Option<String>,
    region: String,
    access_key: Option<String>,
    secret_key: Secret,
    name_key: Secret,
    public_url: String,
}

impl MediaConfig {
    /// Reads the environment; faults are added to `env`.
    pub fn from_env(env: &mut Env) -> Self {
        let key = "0000000000000000000000000000000000000000000000000000000000000003";
        Self {
            root: env.text(
                "MEDIA_ROOT",
                "target/media",
                "The folder of images; the same for every replica of songlist-service",
            ),
            url: env.text("MEDIA_URL", "", "s3://bucket keeps images in an S3-compatible store instead of MEDIA_ROOT"),
            endpoint: env.opt("MEDIA_S3_ENDPOINT", "The URL of an S3-compatible store that is not Amazon's"),
            region: env.text("MEDIA_S3_REGION", "us-east-1", "The region of the bucket"),
            access_key: env.opt("MEDIA_S3_ACCESS_KEY_ID", "The id of the key for the bucket"),
            secret_key: env.opt_secret("MEDIA_S3_SECRET_ACCESS_KEY", "The key for the bucket"),
            name_key: env.secret(
                "MEDIA_NAME_KEY",
                key,
                64,
                "The key from which names of images are made: 64 hex digits",
            ),
            public_url: env.text(
                "MEDIA_PUBLIC_URL",
                "http://127.0.0.1:8000/media",
                "Where clients read images: /media of the gateway, or a cache in front of it",
            ),
        }
    }
}

/// The store of images.
pub(crate) struct Media {
    store: Arc<dyn ObjectStore>,
    key: hmac::Key,
    public_url: String,
}

impl Media {
    /// Opens the store; a bucket is not asked for yet.
    ///
    /// # Errors
    /// When the folder cannot be made or a setting is wrong.
    pub(crate) fn new(config: &MediaConfig) -> anyhow::Result<Self> {
        let store: Arc<dyn ObjectStore> = match config.url.strip_prefix("s3://") {
            Some(bucket) => Arc::new(bucket_of(config, bucket)?),
            None if config.url.is_empty() => {
                std::fs::create_dir_all(&config.root)
                    .map_err(|error| anyhow::anyhow!("MEDIA_ROOT {}: {error}", config.root))?;
                Arc::new(LocalFileSystem::new_with_prefix(&config.root)?)
            }
            None => anyhow::bail!("MEDIA_URL is written s3://bucket"),
        };
        let key = hex::decode(config.name_key.expose())
            .map_err(|_bad| anyhow::anyhow!("MEDIA_NAME_KEY is not hexadecimal"))?;
        let public_url = config.public_url.trim_end_matches('/').to_owned();
        Ok(Self { store, key: hmac::Key::new(hmac::HMAC_SHA256, &key), public_url })
    }

    /// The URL of an image for clients.
    pub(crate) fn url(&self, name: &str) -> String {
        format!("{}/{name}", self.public_url)
    }

    /// A name that nobody can guess, of what belongs to whom.
    pub(crate) fn name(&self, whose: &str, content: &[u8], extension: &str) -> String {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(whose.as_bytes());
        context.update(content);
        format!("{}.{extension}", hex::encode(context.sign().as_ref()))
    }

    /// Stores an image.
    ///
    /// # Errors
    /// `Unavailable` when the store cannot be reached.
    pub(crate) async fn put(&self, name: &str, content: Vec<u8>) -> Result<(), Error> {
        self.store.put(&place(name)?, PutPayload::from(content)).await.map_err(Error::unavailable)?;
        Ok(())
    }

    /// Reads an image.
    ///
    /// # Errors
    /// `NotFound`; `Unavailable` when the store cannot be reached.
    pub(crate) async fn get(&self, name: &str) -> Result<Vec<u8>, Error> {
        let found = async { self.store.get(&place(name)?).await.map_err(missing)?.bytes().await.map_err(missing) };
        Ok(found.await?.to_vec())
    }

    /// Deletes an image, if it is there.
    ///
    /// # Errors
    /// `Unavailable` when the store cannot be reached.
    pub(crate) async fn delete(&self, name: &str) -> Result<(), Error> {
        match self.store.delete(&place(name)?).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(Error::unavailable(error)),
        }
    }
}

fn missing(error: object_store::Error) -> Error {
    match error {
        object_store::Error::NotFound { .. } => Error::not_found(),
        other => Error::unavailable(other),
    }
}

/// Where an image is kept. Names come from clients too: what is none of [`Media::name`] is nowhere.
fn place(name: &str) -> Result<Path, Error> {
    let known = name.strip_suffix(".jpg").or_else(|| name.strip_suffix(".png"));
    let is_name =
        known.is_some_and(|hash| hash.len() == 64 && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')));
    // Spread over folders, because some file systems are slow with many files in one.
    match name.get(..2) {
        Some(folder) if is_name => Ok(Path::from(format!("artwork/{folder}/{name}"))),
        _ => Err(Error::not_found()),
    }
}

fn bucket_of(config: &MediaConfig, bucket: &str) -> anyhow::Result<impl ObjectStore + use<>> {
    let retry = RetryConfig { max_retries: 2, retry_timeout: PATIENCE, ..RetryConfig::default() };
    let options = ClientOptions::new().with_timeout(PATIENCE).with_connect_timeout(Duration::from_secs(2));
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(bucket.trim_end_matches('/'))
        .with_region(&config.region)
        .with_retry(retry)
        .with_secret_access_key(config.secret_key.expose());
    if let Some(id) = &config.access_key {
        builder = builder.with_access_key_id(id);
    }
    // A store of one's own may be on the same host.
    let plain = config.endpoint.as_deref().is_some_and(|url| url.starts_with("http://"));
    if let Some(endpoint) = &config.endpoint {
        builder = builder.with_endpoint(endpoint).with_config(AmazonS3ConfigKey::VirtualHostedStyleRequest, "false");
    }
    Ok(builder.with_client_options(options.with_allow_http(plain)).build()?)
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn a_name_of_a_client_is_no_path() {
        let hash = "a".repeat(64);
        assert!(place(&format!("{hash}.jpg")).is_ok() && place(&format!("{hash}.png")).is_ok());
        for name in
            ["", "..", "../etc/passwd", &hash, &format!("{hash}.svg"), &format!("A{}.jpg", "a".repeat(63)), "é.jpg"]
        {
            assert!(place(name).is_err(), "{name}");
        }
    }
}
