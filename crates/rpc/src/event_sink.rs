use std::future::Future;
use std::time::Duration;

use kit::Error;
use kit::caller::Caller;
use kit::grpc::{Peer, call, open};
use outbox::{Delivered, Message};
use proto::common::event_sink_client::EventSinkClient;
use proto::common::event_sink_server::{EventSink, EventSinkServer};
use proto::common::{DeliverRequest, DeliverResponse};
use proto::tonic::{self, Request, Response, Status};

/// The time that one delivery may take.
const BUDGET: Duration = Duration::from_secs(2);

/// Delivers a message of the outbox to all subscribers, also when one of them is unavailable. After a failure the message
/// is delivered to all of them again; each ignores a message id that it has recorded.
///
/// # Errors
/// The answer of the last follower that failed.
pub async fn deliver(from: &'static str, followers: &[&Peer], message: &Message) -> anyhow::Result<()> {
    // The request that caused the message can be followed through every service that receives it.
    let caller = Caller { request_id: message.request_id.clone(), ..Caller::system(from) };
    let mut failure = None;
    let wire = DeliverRequest {
        message_id: message.id.to_string(),
        topic: message.topic.clone(),
        tenant_id: message.tenant_id.map(|id| id.to_string()),
        aggregate_id: message.aggregate_id.to_string(),
        version: message.version,
        payload: message.payload.to_string(),
    };
    for peer in followers {
        let request = call(&caller, BUDGET, wire.clone());
        if let Err(status) = EventSinkClient::new((*peer).clone()).deliver(request).await {
            failure = Some(status);
        }
    }
    failure.map_or(Ok(()), |status| Err(status.into()))
}

/// A topic and the service that owns it: no other service may deliver it.
pub type Sender = (&'static str, &'static str);

struct Sink<F> {
    senders: &'static [Sender],
    receive: F,
}

/// The gRPC service that accepts messages of other services and passes them to `receive`.
pub fn event_sink<F, Fut>(senders: &'static [Sender], receive: F) -> EventSinkServer<impl EventSink>
where
    F: Fn(Delivered) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = kit::Result<()>> + Send + 'static,
{
    EventSinkServer::new(Sink { senders, receive })
}

#[tonic::async_trait]
impl<F, Fut> EventSink for Sink<F>
where
    F: Fn(Delivered) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = kit::Result<()>> + Send + 'static,
{
    async fn deliver(&self, request: Request<DeliverRequest>) -> Result<Response<DeliverResponse>, Status> {
        let (caller, sent) = open(request)?;
        let from = caller.service()?;
        if !self.senders.iter().any(|(topic, sender)| *topic == sent.topic && *sender == from) {
            return Err(Error::forbidden().into());
        }
        let (tenant, aggregate) = (sent.tenant_id.as_deref(), &sent.aggregate_id);
        let message = Delivered::parse(&sent.message_id, sent.topic, tenant, aggregate, sent.version, &sent.payload)?;
        (self.receive)(message).await?;
        Ok(Response::new(DeliverResponse {}))
    }
}
