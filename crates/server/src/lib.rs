//! The parts of the program `regrant`.

pub mod config;
pub mod config_command;
pub mod data_directory;
mod demo;
pub mod dev;
pub mod log;
pub mod serve;
mod tour;
