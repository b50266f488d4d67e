//! The metadata, in each of its places, and the server's clock.

use anyhow::Result;
use regrant_client::{
    DiscoveryError, IssuerIdentifier, Provider, RequestBody, Transport, TransportError, clock_offset_milliseconds,
};
use regrant_protocol::{Clock as _, SystemClock};

use super::observations::{Document, Metadata};

/// What is at each of the well-known URLs, and by how many seconds the server's clock is ahead of ours.
///
/// # Errors
/// When the server cannot be reached.
pub(crate) async fn look(issuer: &IssuerIdentifier, transport: &dyn Transport) -> Result<(Vec<Document>, Option<i64>)> {
    let (mut documents, mut clock_offset_seconds) = (Vec::new(), None);
    for url in Provider::well_known_urls(issuer) {
        let answer = get(&url, transport).await.map_err(DiscoveryError::Transport)?;
        let offset = clock_offset_milliseconds(answer.headers(), SystemClock.now());
        clock_offset_seconds = clock_offset_seconds.or(offset.map(|milliseconds| milliseconds / 1000));
        let metadata = serde_json::from_slice(answer.body()).ok().filter(|_| answer.status() == 200);
        let is_metadata = |metadata: &Metadata| !metadata.issuer.is_empty() && !metadata.token_endpoint.is_empty();
        documents.push(Document { url, status: answer.status().as_u16(), metadata: metadata.filter(is_metadata) });
    }
    Ok((documents, clock_offset_seconds))
}

/// What is at `url`.
pub(crate) async fn get(url: &str, transport: &dyn Transport) -> Result<http::Response<Vec<u8>>, TransportError> {
    let request = http::Request::get(url).header("accept", "application/json").body(RequestBody::default());
    transport.send(request.map_err(|error| TransportError::NotSent(error.to_string()))?).await
}
