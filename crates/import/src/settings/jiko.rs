use crate::settings::settler::Settler;

/// What Jiko's document says of its server: 15 minutes, one day, and a new refresh token each time. What it does not say is as
/// regrant does it.
pub(super) fn settle(settler: &mut Settler<'_>) {
    settler.client("rotation", "rotate", None);
    settler.client("access_lifetime", 15 * 60, None);
    settler.client("idle_lifetime", 24 * 60 * 60, None);
}

#[cfg(test)]
mod tests {
    use crate::settings::System;
    use crate::settings::settler::checks::clients;

    #[test]
    fn it_is_as_its_document_says() {
        assert_eq!(clients(System::Jiko, &[]), ["rotation = rotate", "access_lifetime = 900", "idle_lifetime = 86400"]);
    }
}
