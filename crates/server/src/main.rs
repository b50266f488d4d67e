//! The program `regrant`: reads its arguments, runs a command, and says what went wrong.

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;
use regrant_server::command_line::CommandLine;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    // Where the system gives huge pages unasked, a server at rest would take 12 MB more. A system that has no such setting gives none.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    match CommandLine::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("regrant: {error:#}");
            ExitCode::FAILURE
        }
    }
}
