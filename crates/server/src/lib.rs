//! The parts of the program `regrant`.

pub mod config;
pub mod config_command;
pub mod data_directory;
mod demo;
pub mod dev;
mod forwarded;
pub mod log;
pub mod serve;
pub mod serve_command;
mod service_manager;
mod signals;
mod site;
mod standard_output;
mod sweeping;
mod tour;
