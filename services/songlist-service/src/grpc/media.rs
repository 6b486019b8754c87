use kit::grpc::open;
use proto::songlist::media_server::{Media, MediaServer};
use proto::songlist::{GetMediaRequest, GetMediaResponse};
use proto::tonic::{Request, Response, Status};

use crate::App;

struct Grpc(App);

pub(super) fn service(app: &App) -> MediaServer<impl Media> {
    MediaServer::new(Grpc(app.clone()))
}

#[tonic::async_trait]
impl Media for Grpc {
    async fn get(&self, request: Request<GetMediaRequest>) -> Result<Response<GetMediaResponse>, Status> {
        let (_, asked) = open(request)?;
        Ok(Response::new(GetMediaResponse { content: self.0.media.get(&asked.name).await? }))
    }
}
