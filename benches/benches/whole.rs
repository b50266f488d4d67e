//! What needs the store: a step of it, a refresh, and a forged token, which must not need it.

use std::env;
use std::path::PathBuf;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use regrant_benches::{InProcess, next_token};
use regrant_grant::{REFRESH_PREFIX, TokenParts, Write};
use regrant_store::{AccessTokenFormat, Scene, Target, decide_in};
use tokio::runtime::Runtime;

/// How many refreshes go on at once where they share a commit.
const TOGETHER: u64 = 64;

/// On the disk of the build, and never in memory.
fn directory() -> PathBuf {
    env::var_os("REGRANT_BENCH_DIRECTORY").map_or_else(|| env!("CARGO_TARGET_TMPDIR").into(), PathBuf::from)
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made")
}

/// Reads a row in a step of its own, and writes nothing: what the store adds to a rule, without the disk.
fn step(bench: &mut Criterion) {
    let runtime = runtime();
    let server = runtime.block_on(InProcess::open(&directory(), AccessTokenFormat::Opaque));
    let token = runtime.block_on(server.log_in());
    let grant = TokenParts::parse(REFRESH_PREFIX, &token).expect("it is ours").head.grant;
    bench.bench_function("store: a step that reads", |bencher| {
        let read = || {
            decide_in(&*server.store, Target::Grant(grant), None, |scene: &Scene<'_>| {
                (scene.grant.is_some(), Write::Nothing)
            })
        };
        bencher.iter(|| runtime.block_on(read()));
    });
}

/// Refreshes in the engine: one after the other, each with a sync of its own, and many that share one.
fn refresh(bench: &mut Criterion) {
    let runtime = runtime();
    for (name, format) in [("opaque", AccessTokenFormat::Opaque), ("ES256", AccessTokenFormat::JwtEs256)] {
        let server = Arc::new(runtime.block_on(InProcess::open(&directory(), format)));
        let mut token = runtime.block_on(server.log_in());
        bench.bench_function(&format!("refresh: {name}, alone"), |bencher| {
            bencher.iter(|| {
                let form = server.refresh_form(&token);
                let response = runtime.block_on(server.token(&form)).expect("the token is current");
                token = next_token(&response);
            });
        });
        let mut tokens = Vec::new();
        for _ in 0..TOGETHER {
            tokens.push(runtime.block_on(server.log_in()));
        }
        let mut group = bench.benchmark_group("refresh");
        group.throughput(Throughput::Elements(TOGETHER));
        group.bench_function(format!("{name}, {TOGETHER} together"), |bencher| {
            bencher.iter(|| {
                runtime.block_on(async {
                    let mut waiting = Vec::new();
                    for token in &tokens {
                        let (server, form) = (Arc::clone(&server), server.refresh_form(token));
                        waiting.push(tokio::spawn(async move { server.token(&form).await }));
                    }
                    for (token, answer) in tokens.iter_mut().zip(waiting) {
                        let response = answer.await.expect("no refresh panics").expect("the token is current");
                        *token = next_token(&response);
                    }
                });
            });
        });
        group.finish();
    }
}

/// A token endpoint call with a token that nobody issued.
fn forged(bench: &mut Criterion) {
    let runtime = runtime();
    let server = runtime.block_on(InProcess::open(&directory(), AccessTokenFormat::Opaque));
    let other = runtime.block_on(InProcess::open(&directory(), AccessTokenFormat::Opaque));
    let form = server.refresh_form(&runtime.block_on(other.log_in()));
    bench.bench_function("forged: a call of the token endpoint", |bencher| {
        bencher.iter(|| assert!(runtime.block_on(server.token(&form)).is_err()));
    });
}

criterion_group!(whole, step, refresh, forged);
criterion_main!(whole);
