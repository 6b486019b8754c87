//! Servers behind TLS with a certificate of a private authority, as in a company's own network.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// How a protocol begins before it is encrypted.
#[derive(Clone, Copy, Debug)]
pub enum Opening {
    /// With the first byte, as Redis.
    Encrypted,
    /// The client asks by an `SSLRequest`.
    Postgres,
    /// The client asks by STARTTLS.
    Smtp,
}

/// A private authority and a certificate that it signed for `localhost`.
pub struct PrivateAuthority {
    /// The PEM file of the authority.
    pub file: PathBuf,
    acceptor: TlsAcceptor,
}

impl PrivateAuthority {
    /// Makes an authority, with its file in the target folder.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn new() -> anyhow::Result<Self> {
        let mut authority = CertificateParams::new([])?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new(["localhost".to_owned()])?.signed_by(&key, &issuer)?;
        let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;
        let server = rustls::ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)?;
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../target/test-authorities");
        std::fs::create_dir_all(&folder)?;
        let file = folder.join(format!("{}.pem", kit::ids::random().simple()));
        std::fs::write(&file, issuer.pem())?;
        Ok(Self { file, acceptor: TlsAcceptor::from(Arc::new(server)) })
    }

    /// Its file as text.
    pub fn path(&self) -> String {
        self.file.display().to_string()
    }

    /// Serves `to` encrypted; returns the port on `localhost`.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn front(&self, to: String, opening: Opening) -> anyhow::Result<u16> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (port, acceptor) = (listener.local_addr()?.port(), self.acceptor.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, to.clone(), opening, acceptor.clone()));
            }
        });
        Ok(port)
    }
}

impl Drop for PrivateAuthority {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.file);
    }
}

async fn pass(mut client: TcpStream, to: String, opening: Opening, acceptor: TlsAcceptor) -> anyhow::Result<()> {
    let mut server = BufReader::new(TcpStream::connect(to).await?);
    match opening {
        Opening::Encrypted => {}
        Opening::Postgres => {
            let mut request = [0; 8];
            client.read_exact(&mut request).await?;
            client.write_all(b"S").await?;
        }
        Opening::Smtp => start_tls(&mut client, &mut server).await?,
    }
    let mut encrypted = acceptor.accept(client).await?;
    copy_bidirectional(&mut encrypted, &mut server).await?;
    Ok(())
}

/// Offers STARTTLS and nothing else, and swallows the greeting of the server behind.
async fn start_tls(client: &mut TcpStream, server: &mut BufReader<TcpStream>) -> anyhow::Result<()> {
    server.read_line(&mut String::new()).await?;
    let mut client = BufReader::new(client);
    client.write_all(b"220 front ESMTP\r\n").await?;
    loop {
        let mut line = String::new();
        client.read_line(&mut line).await?;
        match line.get(..4).context("the client left")? {
            "EHLO" => client.write_all(b"250-front\r\n250 STARTTLS\r\n").await?,
            "STAR" => return Ok(client.write_all(b"220 go on\r\n").await?),
            _ => client.write_all(b"530 5.7.0 say STARTTLS first\r\n").await?,
        }
    }
}
