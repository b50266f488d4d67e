//! `regrant bench`: how fast this server is on this machine, and how fast another.

use anyhow::Result;

mod bare;
mod bench_store;
mod bulk;
mod chains;
mod child;
mod connections;
mod goal;
mod instructions;
mod mint;
mod options;
mod other_server;
mod own_server;
mod pass;
mod plan;
mod processors;
mod report;
mod stage;

pub use options::BenchOptions;

use options::Workload;

/// Runs `regrant bench`.
///
/// # Errors
/// What could not be measured, and why.
pub fn bench(options: BenchOptions) -> Result<()> {
    match &options.other.url {
        _ if options.workload == Workload::Bare => bare::serve_bare(),
        _ if options.workload == Workload::Instructions => instructions::count_instructions(&options),
        Some(url) => other_server::bench_other_server(&options, url),
        None => own_server::bench_own_server(&options),
    }
}
