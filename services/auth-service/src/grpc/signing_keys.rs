use proto::auth::keys_server::{Keys, KeysServer};
use proto::auth::{ListKeysRequest, ListKeysResponse, PublicKey};
use proto::tonic::{Request, Response, Status};

use crate::App;

struct Grpc(App);

pub(super) fn service(app: &App) -> KeysServer<impl Keys> {
    KeysServer::new(Grpc(app.clone()))
}

#[tonic::async_trait]
impl Keys for Grpc {
    async fn list(&self, _request: Request<ListKeysRequest>) -> Result<Response<ListKeysResponse>, Status> {
        let keys = self.0.keychain.public();
        let keys = keys.iter().map(|key| PublicKey { kid: key.kid.clone(), x: key.x.clone() }).collect();
        Ok(Response::new(ListKeysResponse { keys }))
    }
}
