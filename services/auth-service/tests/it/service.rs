use auth_service::{App, Config, MIGRATIONS, MailConfig, NewSuperuser, Superusers, start};
use kit::env::Env;
use kit::grpc::Peer;
use kit::lifecycle::Shutdown;
use kit::{Clock, Secret};
use proto::auth::sessions_client::SessionsClient;
use proto::auth::sign_in_client::SignInClient;
use proto::auth::{RefreshRequest, StartSignInRequest, TokenPair, VerifySignInRequest};
use sandbox::mailbox::{self, Mailbox};
use testkit::TestDb;
use testkit::caller::{anonymous, call, peer};

const EMAIL: &str = "root@songlist.example";
const PASSWORD: &str = "a long way to the top";

/// auth-service for one test, with its own schema, Redis prefix, mailbox, clock and SUPER_ADMIN.
pub(crate) struct Auth {
    pub(crate) clock: Clock,
    mailbox: Mailbox,
    gateway: Peer,
    shutdown: Shutdown,
    _db: TestDb,
}

impl Auth {
    pub(crate) async fn start() -> Self {
        let (db, clock, shutdown) = (TestDb::new("auth", MIGRATIONS).await.unwrap(), Clock::movable(), Shutdown::new());
        let (any, mailbox) = ("127.0.0.1:0".parse().unwrap(), Mailbox::new());
        let mail = mailbox::start(mailbox.clone(), any, any, &shutdown).await.unwrap();
        let nobody = "http://127.0.0.1:1".to_owned();
        let mut config = Config::from_env(&mut Env::of([("SONGLIST_URL", nobody.clone()), ("PAYMENTS_URL", nobody)]));
        (config.grpc_addr, config.ops_addr) = (any, any);
        config.pg = db.config().unwrap();
        config.redis = testkit::redis().await.unwrap();
        config.mail = MailConfig::local_smtp(mail.smtp.port());
        config.clock = clock.clone();
        let superusers = Superusers::new(App::new(config.clone()).await.unwrap());
        let root = NewSuperuser { username: "root".into(), email: EMAIL.into(), password: Secret::new(PASSWORD) };
        superusers.create(&root).await.unwrap();
        let addr = start(config, shutdown.clone()).await.unwrap().grpc;
        Self { clock, mailbox, gateway: peer("gateway", "auth", addr).unwrap(), shutdown, _db: db }
    }

    /// Starts a sign-in of the SUPER_ADMIN; returns the challenge and the mailed code.
    pub(crate) async fn challenge(&self) -> (String, String) {
        let message = StartSignInRequest { tenant: None, identifier: EMAIL.into(), password: PASSWORD.into() };
        let started = self.sign_in().start(call(&anonymous(), message)).await.unwrap().into_inner();
        let code = self.mailbox.wait_for(EMAIL, "").await.code().unwrap();
        (started.challenge_id, code)
    }

    /// Answers a challenge with a code.
    pub(crate) async fn verify(&self, challenge: &str, otp: &str) -> Result<TokenPair, tonic::Status> {
        let message = VerifySignInRequest { tenant: None, challenge_id: challenge.into(), otp: otp.into() };
        Ok(self.sign_in().verify(call(&anonymous(), message)).await?.into_inner().tokens.unwrap())
    }

    pub(crate) async fn signed_in(&self) -> TokenPair {
        let (challenge, code) = self.challenge().await;
        self.verify(&challenge, &code).await.unwrap()
    }

    pub(crate) async fn refresh(&self, token: &str) -> Result<TokenPair, tonic::Status> {
        let message = RefreshRequest { refresh: token.to_owned() };
        let refreshed = SessionsClient::new(self.gateway.clone()).refresh(call(&anonymous(), message)).await?;
        Ok(refreshed.into_inner().tokens.unwrap())
    }

    fn sign_in(&self) -> SignInClient<Peer> {
        SignInClient::new(self.gateway.clone())
    }
}

impl Drop for Auth {
    fn drop(&mut self) {
        self.shutdown.stop();
        self.shutdown.hard.cancel();
    }
}

/// The error code of a status.
pub(crate) fn code(status: tonic::Status) -> kit::Code {
    kit::Error::from(status).code()
}
