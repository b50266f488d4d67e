//! The parts of the program `regrant`.

pub mod data_directory;
mod demo;
pub mod dev;
pub mod log;
pub mod serve;
mod tour;
