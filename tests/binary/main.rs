//! The program as its users have it: started as a process of its own, and asked by the real `curl`.

mod administration;
mod bench;
mod browser;
mod curl;
mod data_directory;
mod documents;
mod drain;
mod embed;
mod guides;
mod migrate_store;
mod must_show;
mod nodes;
mod observe;
mod old_server;
mod program;
mod restart;
mod restore;
mod secrets;
mod serve;
mod systemd;
mod take_over;
mod tour;
