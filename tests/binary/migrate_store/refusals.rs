use std::fs;

use regrant_databases::Postgres;

use super::site::{Site, Told, log_in, refresh};

#[test]
fn what_cannot_be_moved_is_refused_with_one_line_and_served_as_before() {
    let postgres = Postgres::shared();
    let (database, taken, newer) = (postgres.database(), postgres.database(), postgres.database());
    let site = Site::new(&database);
    let sqlite = site.serve_sqlite();
    site.add_alice();
    let token = log_in(&sqlite, "app").refresh_token();
    Told::of(&mut site.moving()).refused(&["a server has", "stop it"]);
    sqlite.terminate();

    let other = Site::new(&taken);
    other.serve_postgres().terminate();
    Told::of(&mut site.moving_to(&taken.url())).refused(&["is not empty", "another store", "name an empty database"]);
    Site::new(&newer).serve_postgres().terminate();
    newer.sql(
        "INSERT INTO regrant.migrations SELECT max(number) + 2, 'later', 0, max(number) + 1, 0 FROM regrant.migrations",
    );
    Told::of(&mut site.moving_to(&newer.url())).refused(&["has schema", "install a newer version"]);
    let over_tcp = format!("postgres://postgres@127.0.0.1:{}/{}?sslmode=disable", postgres.port(), database.name());
    Told::of(site.moving_to(&over_tcp).env("REGRANT_STORE_PASSWORD", "hunter2")).refused(&["check user and password"]);
    Told::of(&mut site.moving_to("postgres://regrant@127.0.0.1:1/regrant?sslmode=disable"))
        .refused(&["is not available", "look whether the server runs"]);
    Told::of(&mut site.moving_to("mysql://regrant@db.example/regrant")).refused(&["--to", "postgres://"]);
    Told::of(&mut site.moving_to("postgres://r:hunter2@db.example/regrant"))
        .refused(&["--to", "a password is in the URL"]);
    let data = site.path("data");
    let key_file = data.join("master.key");
    let kept = fs::read(&key_file).unwrap();
    fs::copy(other.path("data").join("master.key"), &key_file).unwrap();
    Told::of(&mut site.moving()).refused(&["is not the one in the key file"]);
    fs::write(&key_file, kept).unwrap();

    // The database of an earlier day, beside the mark of a later one.
    fs::copy(data.join("regrant.db"), site.path("earlier.db")).unwrap();
    let sqlite = site.serve_sqlite();
    let token = refresh(&sqlite, "app", &token).refresh_token();
    sqlite.terminate();
    let later = fs::read(data.join("regrant.db")).unwrap();
    fs::copy(site.path("earlier.db"), data.join("regrant.db")).unwrap();
    Told::of(&mut site.moving()).refused(&["is not what it was", "regrant restore"]);
    fs::write(data.join("regrant.db"), later).unwrap();

    let sqlite = site.serve_sqlite();
    let token = refresh(&sqlite, "app", &token).refresh_token();
    sqlite.terminate();
    fs::write(site.path("db.password"), format!("{}\n", postgres.password())).unwrap();
    let mut moving = site.moving_to(&over_tcp);
    moving.env("REGRANT_STORE_PASSWORD_FILE", site.path("db.password"));
    // Of the server to come, as the password is.
    moving.env("REGRANT_STORE_JOURNAL_PASSWORD", "sesame").env("REGRANT_STORE_CONNECTIONS", "8");
    let told = Told::of(&mut moving);
    assert!(told.is_done, "{}", told.stderr);
    refresh(&site.serve_postgres(), "app", &token).refresh_token();
}
