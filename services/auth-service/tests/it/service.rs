use std::sync::Arc;

use auth_service::{App, Config, MIGRATIONS, MailConfig, NewSuperuser, Superusers, start};
use kit::caller::Caller;
use kit::env::Env;
use kit::grpc::Peer;
use kit::lifecycle::Shutdown;
use kit::{Clock, Secret};
use kit_redis::RedisConfig;
use proto::auth::password_resets_client::PasswordResetsClient;
use proto::auth::sessions_client::SessionsClient;
use proto::auth::sign_in_client::SignInClient;
use proto::auth::{
    ConfirmPasswordResetRequest, RefreshRequest, ResendSignInCodeRequest, StartPasswordResetRequest,
    StartSignInRequest, TokenPair, VerifySignInRequest,
};
use sandbox::mailbox::{self, Mail, Mailbox};
use testkit::TestDb;
use testkit::caller::{anonymous, call, peer};
use testkit::canary::{self, Secrets};

pub(crate) const EMAIL: &str = "root@songlist.example";
pub(crate) const PASSWORD: &str = "a long way to the top";
/// The password after a reset.
const NEW_PASSWORD: &str = "staple battery horse";

/// auth-service for one test, with its own schema, Redis prefix, mailbox, clock and SUPER_ADMIN.
pub(crate) struct Auth {
    pub(crate) clock: Clock,
    pub(crate) superusers: Superusers,
    /// What an operator's commands use.
    pub(crate) operator: App,
    pub(crate) config: Config,
    pub(crate) mailbox: Mailbox,
    pub(crate) gateway: Peer,
    shutdown: Shutdown,
    db: Arc<TestDb>,
    /// Redis itself, whatever a test has put in front of it.
    redis: RedisConfig,
    secrets: Secrets,
}

impl Auth {
    pub(crate) async fn start() -> Self {
        Self::start_with(async |_config, _smtp| {}).await
    }

    /// Starts it with changes to its configuration; the second argument is the port of the SMTP server.
    pub(crate) async fn start_with(change: impl AsyncFnOnce(&mut Config, u16)) -> Self {
        canary::record_log();
        let (db, clock, shutdown) = (TestDb::new("auth", MIGRATIONS).await.unwrap(), Clock::movable(), Shutdown::new());
        let (any, mailbox) = ("127.0.0.1:0".parse().unwrap(), Mailbox::new());
        let mail = mailbox::start(mailbox.clone(), any, any, &shutdown).await.unwrap();
        let nobody = "http://127.0.0.1:1".to_owned();
        let mut config =
            Config::from_env(&mut Env::of([("SONGLIST_GRPC_URL", nobody.clone()), ("PAYMENTS_GRPC_URL", nobody)]));
        (config.grpc_addr, config.ops_addr) = (any, any);
        config.pg = db.config().unwrap();
        let redis = testkit::redis().await.unwrap();
        config.redis = redis.clone();
        config.mail = MailConfig::local_smtp(mail.smtp.port());
        config.clock = clock.clone();
        change(&mut config, mail.smtp.port()).await;
        let operator = App::new(config.clone()).await.unwrap();
        let superusers = Superusers::new(operator.clone());
        let root = NewSuperuser { username: "root".into(), email: EMAIL.into(), password: Secret::new(PASSWORD) };
        superusers.create(&root).await.unwrap();
        let addr = start(config.clone(), shutdown.clone()).await.unwrap().grpc;
        Self {
            clock,
            superusers,
            operator,
            config,
            mailbox,
            gateway: peer("gateway", "auth", addr).unwrap(),
            shutdown,
            db: Arc::new(db),
            redis,
            secrets: secrets(),
        }
    }

    /// Another replica over the same database, Redis, mailbox and clock.
    pub(crate) async fn replica(&self) -> Self {
        let (shutdown, config) = (Shutdown::new(), self.config.clone());
        let addr = start(config.clone(), shutdown.clone()).await.unwrap().grpc;
        Self {
            clock: self.clock.clone(),
            superusers: Superusers::new(self.operator.clone()),
            operator: self.operator.clone(),
            config,
            mailbox: self.mailbox.clone(),
            gateway: peer("gateway", "auth", addr).unwrap(),
            shutdown,
            db: self.db.clone(),
            redis: self.redis.clone(),
            secrets: self.secrets.clone(),
        }
    }

    /// The id of the SUPER_ADMIN.
    pub(crate) async fn root_id(&self) -> uuid::Uuid {
        let superuser = kit_pg::bootstrap::open(self.db.admin_url()).await.unwrap();
        let sql = format!("SELECT id::text FROM {}.users", self.db.schema);
        superuser.query_one(&sql, &[]).await.unwrap().get::<_, String>(0).parse().unwrap()
    }

    pub(crate) fn db(&self) -> &TestDb {
        &self.db
    }

    /// Every mail that came.
    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.mailbox.find(|_| true)
    }

    /// Starts a sign-in of the SUPER_ADMIN; returns the challenge and the mailed code.
    pub(crate) async fn challenge(&self) -> (String, String) {
        let message = StartSignInRequest { tenant: None, identifier: EMAIL.into(), password: PASSWORD.into() };
        let started = self.sign_in().start(call(&anonymous(), message)).await.unwrap().into_inner();
        let code = self.mailbox.wait_for(EMAIL, "Login OTP").await.code().unwrap();
        (started.challenge_id, code)
    }

    /// Another sign-in; its code is none of these.
    pub(crate) async fn challenge_after(&self, seen: &[String]) -> (String, String) {
        let challenge = self.start_from("10.200.0.1", EMAIL, PASSWORD).await.unwrap();
        (challenge, self.code_after(seen).await)
    }

    /// The code of the newest mail that has another one than these.
    pub(crate) async fn code_after(&self, seen: &[String]) -> String {
        testkit::eventually("another code", || async {
            let newest = self.mails().iter().filter_map(Mail::code).next();
            newest.filter(|code| !seen.contains(code))
        })
        .await
    }

    /// Sends another code for a challenge.
    pub(crate) async fn resent(&self, challenge: &str, first: &str) -> String {
        self.resent_after(challenge, &[first]).await
    }

    /// Sends another code for a challenge; it is none of these.
    pub(crate) async fn resent_after(&self, challenge: &str, seen: &[&str]) -> String {
        let message = ResendSignInCodeRequest { challenge_id: challenge.to_owned() };
        self.sign_in().resend_code(call(&anonymous(), message)).await.unwrap();
        let seen: Vec<String> = seen.iter().map(|code| (*code).to_owned()).collect();
        self.code_after(&seen).await
    }

    /// Starts a password reset; its challenge and code.
    pub(crate) async fn reset_challenge(&self) -> (String, String) {
        let start = StartPasswordResetRequest { tenant: None, identifier: EMAIL.into() };
        let mut resets = PasswordResetsClient::new(self.gateway.clone());
        let started = resets.start(call(&anonymous(), start)).await.unwrap().into_inner();
        let code = self.mailbox.wait_for(EMAIL, "Password Reset OTP").await.code().unwrap();
        (started.challenge_id, code)
    }

    pub(crate) async fn confirm_reset(&self, challenge: &str, otp: &str) -> Result<(), tonic::Status> {
        let message = ConfirmPasswordResetRequest {
            challenge_id: challenge.to_owned(),
            otp: otp.to_owned(),
            new_password: NEW_PASSWORD.into(),
            confirm_password: NEW_PASSWORD.into(),
            ..ConfirmPasswordResetRequest::default()
        };
        PasswordResetsClient::new(self.gateway.clone()).confirm(call(&anonymous(), message)).await.map(|_done| ())
    }

    /// Confirms a reset as clients do that name the address instead of the challenge.
    pub(crate) async fn confirm_reset_of_address(&self, email: &str, otp: &str) -> Result<(), tonic::Status> {
        let message = ConfirmPasswordResetRequest {
            email: email.to_owned(),
            otp: otp.to_owned(),
            new_password: NEW_PASSWORD.into(),
            confirm_password: NEW_PASSWORD.into(),
            ..ConfirmPasswordResetRequest::default()
        };
        PasswordResetsClient::new(self.gateway.clone()).confirm(call(&anonymous(), message)).await.map(|_done| ())
    }

    /// Starts a sign-in of the SUPER_ADMIN from a network.
    pub(crate) async fn start_from(
        &self,
        network: &str,
        identifier: &str,
        password: &str,
    ) -> Result<String, tonic::Status> {
        let caller = Caller { client_net: Some(network.to_owned()), ..anonymous() };
        let message = StartSignInRequest { tenant: None, identifier: identifier.into(), password: password.into() };
        Ok(self.sign_in().start(call(&caller, message)).await?.into_inner().challenge_id)
    }

    /// Asks for a password reset of the SUPER_ADMIN and guesses its code five times.
    pub(crate) async fn guess_at_a_reset(&self, network: &str) {
        let caller = Caller { client_net: Some(network.to_owned()), ..anonymous() };
        let mut resets = PasswordResetsClient::new(self.gateway.clone());
        let start = StartPasswordResetRequest { tenant: None, identifier: EMAIL.into() };
        let Ok(started) = resets.start(call(&caller, start)).await else { return };
        let challenge_id = started.into_inner().challenge_id;
        for guess in 0..5 {
            let message = ConfirmPasswordResetRequest {
                challenge_id: challenge_id.clone(),
                otp: format!("00000{guess}"),
                new_password: PASSWORD.into(),
                confirm_password: PASSWORD.into(),
                ..ConfirmPasswordResetRequest::default()
            };
            assert!(resets.confirm(call(&caller, message)).await.is_err());
        }
    }

    /// Answers a challenge with a code.
    pub(crate) async fn verify(&self, challenge: &str, otp: &str) -> Result<TokenPair, tonic::Status> {
        let message =
            VerifySignInRequest { challenge_id: challenge.into(), otp: otp.into(), ..VerifySignInRequest::default() };
        Ok(self.kept(self.sign_in().verify(call(&anonymous(), message)).await?.into_inner().tokens.unwrap()))
    }

    pub(crate) async fn signed_in(&self) -> TokenPair {
        let (challenge, code) = self.challenge().await;
        self.verify(&challenge, &code).await.unwrap()
    }

    /// Signs in from a network.
    pub(crate) async fn signed_in_from(&self, network: &str) {
        let challenge_id = self.start_from(network, EMAIL, PASSWORD).await.unwrap();
        let otp = self.mailbox.wait_for(EMAIL, "Login OTP").await.code().unwrap();
        let caller = Caller { client_net: Some(network.to_owned()), ..anonymous() };
        self.sign_in()
            .verify(call(&caller, VerifySignInRequest { challenge_id, otp, ..VerifySignInRequest::default() }))
            .await
            .unwrap();
    }

    /// The guesses that were looked at for one purpose.
    pub(crate) async fn guesses(&self, purpose: &str) -> i64 {
        let superuser = kit_pg::bootstrap::open(self.db.admin_url()).await.unwrap();
        let sql = format!("SELECT coalesce(sum(attempts), 0) FROM {}.challenges WHERE purpose = $1", self.db.schema);
        superuser.query_one(&sql, &[&purpose]).await.unwrap().get(0)
    }

    pub(crate) async fn refresh(&self, token: &str) -> Result<TokenPair, tonic::Status> {
        let message = RefreshRequest { refresh: token.to_owned() };
        let refreshed = SessionsClient::new(self.gateway.clone()).refresh(call(&anonymous(), message)).await?;
        Ok(self.kept(refreshed.into_inner().tokens.unwrap()))
    }

    /// Remembers tokens that must be nowhere.
    fn kept(&self, tokens: TokenPair) -> TokenPair {
        self.secrets.keep(&tokens.access);
        self.secrets.keep(&tokens.refresh);
        tokens
    }

    fn sign_in(&self) -> SignInClient<Peer> {
        SignInClient::new(self.gateway.clone())
    }
}

impl Drop for Auth {
    fn drop(&mut self) {
        self.shutdown.stop();
        self.shutdown.hard.cancel();
        if std::thread::panicking() {
            return;
        }
        let (db, redis, secrets) = (self.db.clone(), self.redis.clone(), self.secrets.clone());
        let codes = canary::mailed_codes(&self.mailbox);
        // The test's runtime waits here, so the search has one of its own.
        let search = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(secrets.ensure_kept(&[&db], &redis, &codes))
        });
        search.join().unwrap().unwrap();
    }
}

fn secrets() -> Secrets {
    let secrets = Secrets::default();
    secrets.keep(PASSWORD);
    secrets.keep(NEW_PASSWORD);
    secrets
}

/// The error code of a status.
pub(crate) fn code(status: tonic::Status) -> kit::Code {
    kit::Error::from(status).code()
}
