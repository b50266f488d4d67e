use regrant_protocol::WebOrigin;

use crate::AuthorizationServer;

impl AuthorizationServer {
    /// Whether scripts of `origin` (the request header, as it arrived) may read what the endpoints for clients answer: it is
    /// one of the origins that some client registered. A new one counts after a second.
    pub async fn is_allowed_origin(&self, origin: &str) -> bool {
        let description = match self.description().await {
            Ok(description) => Some(description),
            // A script that may not read a 503 does not know that it may come again: what was allowed stays allowed.
            Err(_) => self.last_description().await,
        };
        let is_allowed = |allowed: &WebOrigin| allowed.matches(origin);
        description.is_some_and(|description| description.allowed_origins.iter().any(is_allowed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::World;

    #[tokio::test]
    async fn an_origin_is_allowed_while_a_client_registers_it() {
        let world = World::new().await;
        let origins = ["https://spa.example", "http://127.0.0.1"].map(|origin| WebOrigin::parse(origin).unwrap());
        world.change(|settings| settings.allowed_origins = origins.to_vec()).await;
        for (origin, is_allowed) in [
            ("https://spa.example", true),
            ("http://127.0.0.1:8090", true),
            ("https://spa.example:8443", false),
            ("https://evil.example", false),
            ("null", false),
            ("", false),
        ] {
            assert_eq!(world.server.is_allowed_origin(origin).await, is_allowed, "{origin:?}");
        }
        world.change(|_| {}).await;
        assert!(world.server.is_allowed_origin("https://spa.example").await, "for a second");
        world.clock.advance_seconds(1);
        assert!(!world.server.is_allowed_origin("https://spa.example").await, "no longer");
    }
}
