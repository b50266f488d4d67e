use regrant_engine::ClientPresentation;
use regrant_pages::Client;

/// A client as every page shows it.
pub(crate) fn client(presented: ClientPresentation) -> Client {
    Client {
        name: presented.name,
        client_uri: presented.client_uri,
        policy_uri: presented.policy_uri,
        tos_uri: presented.tos_uri,
        destination: presented.destination,
        destination_scheme: presented.destination_scheme,
    }
}
