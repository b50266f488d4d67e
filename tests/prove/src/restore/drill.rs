use anyhow::{Context, Result, bail};
use regrant_data_directory::{RestorePolicy, Restored};
use regrant_engine::TokenError;
use regrant_grant::{LIVE_GRANTS_MAX, RotationMode};

use super::chance::Chance;
use super::place::Place;
use crate::instance::{Instance, LOGIN, Sender};
use crate::world::StoreKind;

/// How much happens.
#[derive(Clone, Copy)]
pub(super) struct Size {
    /// Grants of confidential clients, and as many of public ones.
    pub(super) grants_of_kind: usize,
    /// Refreshes after the backup.
    pub(super) refreshes: usize,
    /// Grants that are revoked after the backup.
    pub(super) revocations: usize,
}

/// How many logins are under way at once: hashing a password takes a core.
const LOGINS_AT_ONCE: usize = 8;
/// How many refreshes are under way at once, so that a commit has many.
const REFRESHES_AT_ONCE: usize = 64;

/// A client.
#[derive(Clone)]
pub(super) struct Client {
    id: String,
    pub(super) kind: Sender,
    secret: Option<String>,
}

impl Client {
    /// How it names itself, and proves it where it can.
    fn form(&self) -> String {
        match &self.secret {
            Some(secret) => format!("client_id={}&client_secret={secret}", self.id),
            None => self.thief_form(),
        }
    }

    /// How a thief names it, who has no secret of it.
    fn thief_form(&self) -> String {
        format!("client_id={}", self.id)
    }
}

/// A grant, and who holds tokens of it.
#[derive(Clone)]
pub(super) struct Chain {
    pub(super) client: Client,
    /// Every token that its owner was given, the newest last.
    pub(super) tokens: Vec<String>,
    /// How many of them were given before the backup.
    pub(super) before: usize,
    /// What a thief has copied, before the backup and after it.
    pub(super) stolen: Vec<String>,
    pub(super) is_revoked: bool,
}

impl Chain {
    pub(super) fn newest(&self) -> &str {
        self.tokens.last().expect("a chain begins with a token")
    }

    /// Whether it was refreshed since the backup, so that its token is ahead of the row in there.
    pub(super) fn is_ahead(&self) -> bool {
        self.tokens.len() > self.before
    }
}

/// What there is when the disk fails: a store, what is outside it, a backup, and chains.
pub(super) struct Drill {
    pub(super) place: Place,
    seed: u64,
    pub(super) chains: Vec<Chain>,
}

impl Drill {
    /// Lets all of it happen.
    pub(super) async fn prepare(store: StoreKind, size: Size, seed: u64) -> Result<Self> {
        let mut drill = Self { place: Place::make(store)?, seed, chains: Vec::new() };
        let mut chance = Chance::new(seed);
        let instance = drill.open(0).await?;
        instance.register_user().await?;
        let clients = register(&instance, size).await?;
        drill.chains = log_in(&instance, &clients, size.grants_of_kind).await?;
        refresh_many(&instance, &mut drill.chains, size.grants_of_kind, &mut chance).await?;
        steal(&mut drill.chains, &mut chance);
        drop(instance);

        // Mark and journal are copied when nobody writes them.
        drill.place.back_up()?;
        for chain in &mut drill.chains {
            chain.before = chain.tokens.len();
        }
        let instance = drill.open(1).await?;
        refresh_many(&instance, &mut drill.chains, size.refreshes / 2, &mut chance).await?;
        steal(&mut drill.chains, &mut chance);
        refresh_many(&instance, &mut drill.chains, size.refreshes - size.refreshes / 2, &mut chance).await?;
        revoke(&instance, &mut drill.chains, size.revocations, &mut chance).await?;
        Ok(drill)
    }

    /// The same once more, in a place of its own.
    pub(super) fn again(&self) -> Result<Self> {
        Ok(Self { place: self.place.again()?, seed: self.seed, chains: self.chains.clone() })
    }

    /// Opens the server, as its next start.
    pub(super) async fn open(&self, start: u64) -> Result<Instance> {
        self.place.open(self.seed.wrapping_mul(1_000).wrapping_add(start)).await
    }

    /// Puts the backup in place as somebody does who knows no better, and says whether the server starts.
    pub(super) async fn copies_back_unnoticed(&self, start: u64) -> Result<bool> {
        self.place.put_back()?;
        match self.open(start).await {
            Ok(_) => Ok(true),
            Err(error) if format!("{error:#}").contains("run `regrant restore`") => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// `regrant restore`, after the backup was put in place where that is for the operator to do.
    pub(super) async fn restore(&self, policy: RestorePolicy, with_journal: bool) -> Result<Restored> {
        self.place.restore(policy, with_journal, self.seed.wrapping_add(77)).await
    }
}

/// What the owner of a chain is answered; the new token.
pub(super) async fn refresh(instance: &Instance, client: &Client, token: &str) -> Result<String, TokenError> {
    ask(instance, &client.form(), token).await
}

/// What a thief is answered, who has the token and not the secret.
pub(super) async fn refresh_as_thief(instance: &Instance, client: &Client, token: &str) -> Result<String, TokenError> {
    ask(instance, &client.thief_form(), token).await
}

async fn ask(instance: &Instance, form: &str, token: &str) -> Result<String, TokenError> {
    let answer = instance.token(&format!("grant_type=refresh_token&refresh_token={token}&{form}")).await?;
    Ok(answer.refresh_token.map(|token| token.expose().to_owned()).unwrap_or_default())
}

/// The token of a new grant.
pub(super) async fn log_in_once(instance: &Instance, client: &Client) -> Result<String> {
    let answer = instance.token(&format!("{LOGIN}&{}", client.form())).await?;
    Ok(answer.refresh_token.context("a login gives a refresh token")?.expose().to_owned())
}

/// As many clients of both kinds as the user may give so many grants.
async fn register(instance: &Instance, size: Size) -> Result<Vec<Client>> {
    let mut clients = Vec::new();
    for kind in [Sender::Confidential, Sender::PublicBearer] {
        for number in 0..size.grants_of_kind.div_ceil(LIVE_GRANTS_MAX / 2) {
            let id = format!("{}{number}", if kind == Sender::Confidential { "web" } else { "app" });
            let secret = instance.register_client(&id, kind, RotationMode::Rotate).await?;
            clients.push(Client { id, kind, secret });
        }
    }
    Ok(clients)
}

async fn log_in(instance: &Instance, clients: &[Client], grants_of_kind: usize) -> Result<Vec<Chain>> {
    let mut chains = Vec::new();
    for kind in [Sender::Confidential, Sender::PublicBearer] {
        let of_kind: Vec<_> = clients.iter().filter(|client| client.kind == kind).collect();
        let owners: Vec<_> = (0..grants_of_kind).map(|number| of_kind[number % of_kind.len()]).collect();
        for some in owners.chunks(LOGINS_AT_ONCE) {
            let answers = all(some.iter().map(|client| log_in_once(instance, client))).await;
            for (client, answer) in some.iter().zip(answers) {
                let (client, stolen) = ((*client).clone(), Vec::new());
                chains.push(Chain { client, tokens: vec![answer?], before: 1, stolen, is_revoked: false });
            }
        }
    }
    Ok(chains)
}

/// Refreshes chains by chance; a few never.
async fn refresh_many(instance: &Instance, chains: &mut [Chain], count: usize, chance: &mut Chance) -> Result<()> {
    let mut left = count;
    while left > 0 {
        let mut chosen: Vec<usize> = (0..REFRESHES_AT_ONCE.min(left)).map(|_| chance.below(chains.len())).collect();
        chosen.sort_unstable();
        chosen.dedup();
        // One in sixteen is not used by its owner, so that there are tokens at their row too.
        chosen.retain(|index| index % 16 != 0);
        let answers = all(chosen.iter().map(|index| {
            let chain = &chains[*index];
            refresh(instance, &chain.client, chain.newest())
        }))
        .await;
        for (index, answer) in chosen.iter().zip(answers) {
            chains[*index].tokens.push(answer.context("an honest client is answered")?);
        }
        left = left.saturating_sub(chosen.len().max(1));
    }
    Ok(())
}

/// A thief copies the current token of one chain in four.
fn steal(chains: &mut [Chain], chance: &mut Chance) {
    for chain in chains {
        if chance.below(4) == 0 {
            let token = chain.newest().to_owned();
            chain.stolen.push(token);
        }
    }
}

async fn revoke(instance: &Instance, chains: &mut [Chain], count: usize, chance: &mut Chance) -> Result<()> {
    if count > chains.len() / 2 {
        bail!("too few grants for so many revocations");
    }
    let mut left = count;
    while left > 0 {
        let index = chance.below(chains.len());
        let chain = &mut chains[index];
        if chain.is_revoked {
            continue;
        }
        let form = format!("token={}&{}", chain.newest(), chain.client.form());
        instance.revoke_by(&form).await?;
        chain.is_revoked = true;
        left -= 1;
    }
    Ok(())
}

/// Waits for all of them at once; their answers in order.
async fn all<T>(futures: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut pinned: Vec<_> = futures.map(Box::pin).collect();
    let mut answers: Vec<Option<T>> = pinned.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        let mut is_ready = true;
        for (future, answer) in pinned.iter_mut().zip(&mut answers) {
            if answer.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(value) => *answer = Some(value),
                    std::task::Poll::Pending => is_ready = false,
                }
            }
        }
        if is_ready { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    answers.into_iter().flatten().collect()
}
