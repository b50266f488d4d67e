//! `regrant trust-clock`.

use anyhow::Result;
use clap::Args;
use regrant_protocol::{Clock, SystemClock};

use super::api::{AdminApi, run};
use super::confirm::Consent;
use super::output::Output;
use super::place::CommonOptions;

/// What `regrant trust-clock` can be told.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub struct TrustClockOptions {
    #[command(flatten)]
    common: CommonOptions,
    #[command(flatten)]
    consent: Consent,
}

const EXAMPLES: &str = "\
Examples:
  regrant trust-clock
  regrant trust-clock --yes

Compare the clock of this machine with another one first. What has ended long ago by this clock is removed for good.";

/// Runs `regrant trust-clock`: a sweep that has stopped because it does not believe the clock goes on.
///
/// # Errors
/// Why it does not.
pub fn trust_clock(options: TrustClockOptions) -> Result<()> {
    let TrustClockOptions { common, consent } = options;
    let place = common.find()?;
    run(async {
        let api = AdminApi::reach(&place).await?;
        let now = SystemClock.now().to_rfc3339();
        consent.to(&format!("Is it {now}, as the clock of this machine says?"), &common)?;
        let answer = api.act("/trust-clock").await?;
        let told = if api.is_served() { "within a minute" } else { "when the server runs" };
        let told = format!("the clock is taken for right: what ended long ago is swept again {told}");
        Output { is_json: common.json }.done(&answer, &told)
    })
}
