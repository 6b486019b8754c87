use kit::grpc::{Dialer, Peer};
use kit::metrics::Metrics;
use proto::auth::audit_events_client::AuditEventsClient;
use proto::auth::authenticators_client::AuthenticatorsClient;
use proto::auth::deleted_users_client::DeletedUsersClient;
use proto::auth::keys_client::KeysClient;
use proto::auth::password_resets_client::PasswordResetsClient;
use proto::auth::registrations_client::RegistrationsClient;
use proto::auth::revocations_client::RevocationsClient;
use proto::auth::sessions_client::SessionsClient;
use proto::auth::sign_in_client::SignInClient;
use proto::auth::tenants_client::TenantsClient;
use proto::auth::users_client::UsersClient;
use proto::payments::payments_client::PaymentsClient;
use proto::payments::subscriptions_client::SubscriptionsClient;
use proto::payments::webhooks_client::WebhooksClient;
use proto::songlist::genres_client::GenresClient;
use proto::songlist::media_client::MediaClient;
use proto::songlist::playlists_client::PlaylistsClient;
use proto::songlist::song_requests_client::SongRequestsClient;
use proto::songlist::songs_client::SongsClient;
use proto::songlist::tenant_songs_client::TenantSongsClient;

use crate::config::Config;

/// A lazily connected channel to each service.
pub(crate) struct Peers {
    auth: Peer,
    songlist: Peer,
    payments: Peer,
}

/// A function per gRPC service that returns its client; it only clones a channel, which is cheap.
macro_rules! clients {
    ($($name:ident: $client:ident on $peer:ident;)*) => {
        impl Peers {$(
            pub(crate) fn $name(&self) -> $client<Peer> {
                $client::new(self.$peer.clone())
            }
        )*}
    };
}

clients! {
    keys: KeysClient on auth;
    revocations: RevocationsClient on auth;
    tenants: TenantsClient on auth;
    users: UsersClient on auth;
    sign_in: SignInClient on auth;
    registrations: RegistrationsClient on auth;
    password_resets: PasswordResetsClient on auth;
    sessions: SessionsClient on auth;
    deleted_users: DeletedUsersClient on auth;
    authenticators: AuthenticatorsClient on auth;
    audit_events: AuditEventsClient on auth;
    genres: GenresClient on songlist;
    media: MediaClient on songlist;
    songs: SongsClient on songlist;
    tenant_songs: TenantSongsClient on songlist;
    playlists: PlaylistsClient on songlist;
    song_requests: SongRequestsClient on songlist;
    payments: PaymentsClient on payments;
    subscriptions: SubscriptionsClient on payments;
    webhooks: WebhooksClient on payments;
}

impl Peers {
    pub(crate) fn new(config: &Config, metrics: &Metrics) -> Self {
        let dialer = Dialer::new(&config.keys, metrics, proto::WITHOUT_EFFECT);
        Self {
            auth: dialer.connect("auth", &config.auth_targets),
            songlist: dialer.connect("songlist", &config.songlist_targets),
            payments: dialer.connect("payments", &config.payments_targets),
        }
    }
}
