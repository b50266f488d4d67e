use std::process::{Child, Command, Stdio};
use std::thread::yield_now;

use regrant_databases::{Database, Postgres};

use super::site::{Site, log_in, refresh};
use crate::program::binary;

/// Lets the database wait at some point of a move until it is told to go on.
fn close_gate(site: &Site, database: &Database<'_>, trigger: &str) {
    let made = Command::new(binary()).args(["store", "migrate", "--config"]).arg(site.path("postgres.toml")).output();
    assert!(made.expect("the program runs").status.success());
    database.sql(&format!(
        "CREATE TABLE public.gate AS SELECT false AS is_open;
         CREATE FUNCTION public.wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           PERFORM set_config('application_name', 'at the gate', false);
           WHILE NOT (SELECT is_open FROM public.gate) LOOP PERFORM pg_sleep(0.01); END LOOP;
           RETURN NEW;
         END $$;
         CREATE {trigger} FOR EACH ROW EXECUTE FUNCTION public.wait()"
    ));
}

/// Begins a move and kills it when the database waits.
fn kill_at_gate(site: &Site, database: &Database<'_>) {
    let mut child: Child =
        site.moving().stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts");
    let at_gate = "SELECT count(*) FROM pg_stat_activity
                   WHERE datname = current_database() AND application_name = 'at the gate'";
    while database.sql(at_gate).trim() != "1" {
        assert!(child.try_wait().expect("it is ours").is_none(), "it waits at the gate");
        yield_now();
    }
    child.kill().expect("it runs");
    child.wait().expect("it ends");
}

fn open_gate(database: &Database<'_>) {
    database.sql("UPDATE public.gate SET is_open = true");
}

#[test]
fn a_move_that_is_killed_while_it_writes_leaves_the_store_where_it_is() {
    let database = Postgres::shared().database();
    let site = Site::new(&database);
    let sqlite = site.serve_sqlite();
    site.add_alice();
    let token = log_in(&sqlite, "app").refresh_token();
    sqlite.terminate();
    close_gate(&site, &database, "TRIGGER gate BEFORE INSERT ON regrant.grants");
    kill_at_gate(&site, &database);
    let sqlite = site.serve_sqlite();
    let token = refresh(&sqlite, "app", &token).refresh_token();
    sqlite.terminate();
    open_gate(&database);
    site.moves();
    refresh(&site.serve_postgres(), "app", &token).refresh_token();
}

#[test]
fn a_move_that_is_killed_while_it_commits_is_served_by_nobody_until_it_is_settled() {
    let database = Postgres::shared().database();
    let site = Site::new(&database);
    let sqlite = site.serve_sqlite();
    site.add_alice();
    let token = log_in(&sqlite, "app").refresh_token();
    sqlite.terminate();
    close_gate(
        &site,
        &database,
        "CONSTRAINT TRIGGER gate AFTER INSERT ON regrant.identity DEFERRABLE INITIALLY DEFERRED",
    );
    kill_at_gate(&site, &database);
    for config in ["sqlite.toml", "postgres.toml"] {
        let told = site.refusal(config);
        assert!(told.contains("was broken off; run `regrant migrate-store` again"), "{told}");
    }
    open_gate(&database);
    assert!(site.moves().stderr.contains("an earlier move had come to its end"));
    assert!(site.refusal("sqlite.toml").contains("was moved to"));
    refresh(&site.serve_postgres(), "app", &token).refresh_token();
}
