use anyhow::Result;
use regrant_grant::{Generation, ImportedToken, Write};
use regrant_import::Expiry;
use regrant_protocol::Timestamp;
use regrant_store::{FoundToken, Store, Target, decide_in};

use super::super::plan::Plan;
use super::Written;

/// Tells when tokens are here already with another end than they would have now, as after an import with another time zone: they
/// keep it. That shows in the first tokens, which are one page.
pub(super) async fn compare(store: &dyn Store, plan: &Plan, written: &mut Written) -> Result<()> {
    if !store.imports_are_live().await? {
        return Ok(());
    }
    let (mut known, mut different) = (0_u32, 0_u32);
    for token in plan.tokens.page(0)? {
        let Expiry::At(end) = token.expires_at else { continue };
        if let Some(known_end) = known_end(store, ImportedToken(*token.digest.as_bytes())).await? {
            known += 1;
            different += u32::from(known_end != end);
        }
    }
    if different > 0 {
        let told =
            format!("{different} of them are here with another end, which they keep: was it another --timezone?");
        written.remarks.add(told, &format!("the first {known} known tokens"));
    }
    Ok(())
}

/// When a token ends that was taken over before and is as it was then.
async fn known_end(store: &dyn Store, token: ImportedToken) -> Result<Option<Timestamp>> {
    let grant = match store.imported_token(&token).await? {
        None => return Ok(None),
        Some(FoundToken::Access(_, access)) => return Ok(Some(access.expires_at)),
        Some(FoundToken::Refresh(grant)) => grant,
    };
    let end = decide_in(store, Target::Grant(grant), None, |scene| {
        let untouched = scene.grant.filter(|grant| grant.generation == Generation::IMPORTED);
        (untouched.and_then(|grant| grant.idle_expires_at), Write::Nothing)
    });
    Ok(end.await?)
}
