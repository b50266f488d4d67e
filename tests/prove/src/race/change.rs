use anyhow::{Context, Result};
use regrant_protocol::GrantType;
use regrant_store::{ClientChange, ClientSettings, UserChange, UserStatus};

use crate::world::{Carelessness, Login, World};

/// A change after which a sender may not refresh any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// RFC 7009, by the sender itself.
    RevokeGrant,
    /// The user is disabled.
    DisableUser,
    /// All grants of the user end.
    RaiseUserCutoff,
    /// The user is removed.
    RemoveUser,
    /// The client is disabled.
    DisableClient,
    /// All grants of the client end.
    RaiseClientCutoff,
    /// The client gets another secret, and the sender has the old one.
    RotateClientSecret,
    /// The client may not use refresh tokens any more.
    ShrinkClientSettings,
    /// The client is removed.
    RemoveClient,
}

impl Change {
    /// Every one.
    pub(crate) const ALL: [Self; 9] = [
        Self::RevokeGrant,
        Self::DisableUser,
        Self::RaiseUserCutoff,
        Self::RemoveUser,
        Self::DisableClient,
        Self::RaiseClientCutoff,
        Self::RotateClientSecret,
        Self::ShrinkClientSettings,
        Self::RemoveClient,
    ];

    /// Its name in reports.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::RevokeGrant => "revoke_grant",
            Self::DisableUser => "disable_user",
            Self::RaiseUserCutoff => "raise_user_cutoff",
            Self::RemoveUser => "remove_user",
            Self::DisableClient => "disable_client",
            Self::RaiseClientCutoff => "raise_client_cutoff",
            Self::RotateClientSecret => "rotate_client_secret",
            Self::ShrinkClientSettings => "shrink_client_settings",
            Self::RemoveClient => "remove_client",
        }
    }

    /// The fault that breaks this change, and that its race must find.
    pub(crate) const fn planted_fault(self) -> Carelessness {
        match self {
            Self::RevokeGrant => Carelessness::DecidesOutsideTheStep,
            Self::DisableUser
            | Self::RaiseUserCutoff
            | Self::RemoveUser
            | Self::DisableClient
            | Self::RaiseClientCutoff
            | Self::RotateClientSecret
            | Self::ShrinkClientSettings
            | Self::RemoveClient => Carelessness::RemembersParties,
        }
    }

    /// Whether a refused sender costs an Argon2id call, so that time does not tell who exists.
    pub(crate) const fn makes_refusals_slow(self) -> bool {
        matches!(self, Self::RotateClientSecret | Self::RemoveClient)
    }

    /// Makes the change, and returns when it was answered.
    pub(crate) async fn make(self, world: &World, login: &Login) -> Result<()> {
        match self {
            Self::RevokeGrant => world.revoke(login).await,
            Self::DisableUser => change_user(world, login, UserChange::Status(UserStatus::Disabled)).await,
            Self::RaiseUserCutoff => change_user(world, login, UserChange::RaiseCutoff).await,
            Self::RemoveUser => change_user(world, login, UserChange::Remove).await,
            Self::DisableClient => change_client(world, login, ClientChange::Enabled(false)).await,
            Self::RaiseClientCutoff => change_client(world, login, ClientChange::RaiseCutoff).await,
            Self::RotateClientSecret => {
                let (_, _, credential) = world.add_client().await?;
                change_settings(world, login, |settings| settings.credential = credential).await
            }
            Self::ShrinkClientSettings => {
                let is_left = |kind: &GrantType| *kind != GrantType::RefreshToken;
                change_settings(world, login, |settings| settings.grant_types.retain(is_left)).await
            }
            Self::RemoveClient => change_client(world, login, ClientChange::Remove).await,
        }
    }
}

async fn change_user(world: &World, login: &Login, change: UserChange) -> Result<()> {
    Ok(world.store().change_user(&login.subject, change).await?)
}

async fn change_client(world: &World, login: &Login, change: ClientChange) -> Result<()> {
    Ok(world.store().change_client(&login.client, change).await?)
}

async fn change_settings(world: &World, login: &Login, change: impl FnOnce(&mut ClientSettings)) -> Result<()> {
    let found = world.store().client(&login.client).await?;
    let client = found.context("the client of a login exists")?;
    let (seen_version, mut settings) = (client.party.version, Box::new(client.settings));
    change(&mut settings);
    change_client(world, login, ClientChange::Settings { seen_version, settings }).await
}
