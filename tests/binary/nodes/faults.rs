use regrant_databases::Postgres;

use super::cluster::{Cluster, log_in, refresh};
use crate::curl::bash;

#[test]
fn while_the_database_is_away_a_client_is_told_to_come_again_and_loses_nothing() {
    let mut postgres = Postgres::start();
    let cluster = Cluster::on_server(&postgres);
    let [one, two, three] = cluster.start_three();
    let first = log_in(&one).refresh_token();
    let second = refresh(&two, &first).refresh_token();
    postgres.crash();
    for node in [&one, &two, &three] {
        let form = format!("grant_type=refresh_token&refresh_token={second}");
        let told = bash(&format!("curl -si -u app:sesame {}/token -d '{form}'", node.url)).to_lowercase();
        assert!(told.starts_with("http/1.1 503") && told.contains("\nretry-after: "), "{told}");
        assert!(told.contains("temporarily_unavailable"), "{told}");
    }
    postgres.restart();
    let third = refresh(&three, &second).refresh_token();
    assert_eq!(refresh(&two, &second).refresh_token(), third);
    refresh(&one, &third).refresh_token();
}
