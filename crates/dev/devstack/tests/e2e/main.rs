//! The system suite: all five services, real sockets, Postgres, Redis and SMTP. There is one file per thing that a user
//! does; what needs one service only is in that service's `tests/it/`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails its test")]

mod arranging_playlists;
mod artwork;
mod auditing;
mod authenticating_by_app;
mod bounds;
mod bursts;
mod canary;
mod changing_song_requests;
mod changing_songs;
mod costs;
mod database;
mod deleting_users;
mod document;
mod ending_sessions;
mod exporting;
mod hostile;
mod importing_songs;
mod isolation;
mod journey;
mod keeping_a_list;
mod losing_redis;
mod managing_tenants;
mod managing_users;
mod operating;
mod paying;
mod registering;
mod resetting_a_password;
mod running_a_tenant;
mod scaling;
mod searching;
mod signing_in;
mod tenant_scope;
mod walking_lists;
mod walls;
