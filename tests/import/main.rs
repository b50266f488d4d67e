//! `regrant import`: databases with the tables and the encodings of the original systems, taken over by the program, and what
//! becomes of their tokens, users and clients. MariaDB and PostgreSQL are real servers.

mod bshaffer;
mod dotauth;
mod faults;
mod guide;
mod mariadb;
mod odd_values;
mod old_database;
#[expect(dead_code, reason = "the tests of the binary ask for more of it")]
#[path = "../binary/program.rs"]
mod program;
mod redcore;
mod repeated;
mod site;
mod wso2;
