//! The parts of the program `regrant`.

pub mod admin_socket;
pub mod administration;
mod audit_file;
pub mod bench;
pub mod command_line;
pub mod config;
pub mod config_command;
mod demo;
mod demo_directory;
pub mod dev;
mod forwarded;
pub mod log;
mod man_pages;
mod metrics;
mod old_server;
mod open_store;
mod program;
mod request_id;
pub mod serve;
pub mod serve_command;
mod service_manager;
mod signals;
mod site;
mod standard_output;
#[cfg(feature = "opentelemetry")]
mod telemetry;
mod tour;
mod waiting;
