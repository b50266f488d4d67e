//! Dumps as `mysqldump`, `sqlite3` and `pg_dump` write them.

use regrant_import::{
    Expiry, ForeignPassword, ForeignSecret, GrantTypes, Kind, Options, Reason, System, UserStanding, Zones, time_zone,
};
use regrant_protocol::{Scope, Secret, Timestamp};

use crate::readings::{Readings, all, digest, fixture, only, options, read};

async fn redcore(zones: Zones) -> Readings {
    read(System::Redcore, &fixture("redcore-mysqldump.sql"), Options { zones, ..options() }).await.unwrap()
}

#[tokio::test]
async fn redcore_is_read_from_mysqldump() {
    let readings = redcore(Zones::utc()).await;
    assert_eq!(readings.problems, []);
    let ids: Vec<&str> = all!(readings, Client).into_iter().map(|client| client.id.as_str()).collect();
    assert_eq!(ids, ["mobile", r"O'Neill \ co"], "escapes, and no rows of what is text or in a trigger");
    let users: Vec<_> = all!(readings, User)
        .into_iter()
        .map(|user| (user.subject.as_str(), user.username.as_str(), user.is_disabled))
        .collect();
    assert_eq!(users, [("42", "zoe", false), ("43", "blocked", true)]);
    assert_eq!(readings.records.iter().filter(|record| record.kind() == Kind::Scope).count(), 2);
}

#[tokio::test]
async fn mysql_compares_without_case_and_so_does_its_dump() {
    let readings = redcore(Zones::utc()).await;
    let tokens: Vec<_> = all!(readings, RefreshToken).into_iter().collect();
    assert_eq!(tokens.len(), 2);
    assert!(tokens.iter().all(|token| token.client.as_str() == "mobile"), "MOBILE is mobile");
    assert_eq!(tokens[1].expires_at, Expiry::Never, "MySQL's zero date");
    let standings: Vec<_> = tokens.iter().map(|token| token.user.as_ref().unwrap().standing).collect();
    assert_eq!(standings, [UserStanding::Known, UserStanding::Missing]);
}

#[tokio::test]
async fn mysqldump_writes_timestamps_in_utc_whatever_php_wrote() {
    let berlin = || time_zone("Europe/Berlin").unwrap();
    let at_eleven = 1_796_122_800;
    let cases = [
        (Zones::utc(), at_eleven, "everything in UTC"),
        (
            Zones { program: berlin(), database: Some(berlin()) },
            at_eleven,
            "both in Berlin: the dump is right as it stands",
        ),
        (Zones { program: berlin(), database: None }, at_eleven - 3600, "PHP in Berlin, MySQL in UTC"),
    ];
    for (zones, seconds, why) in cases {
        let readings = redcore(zones).await;
        let ends = all!(readings, RefreshToken).into_iter().map(|token| token.expires_at).next();
        assert_eq!(ends, Some(Expiry::At(Timestamp::from_seconds(seconds))), "{why}");
    }
}

#[tokio::test]
async fn bshaffer_is_read_from_sqlites_dump() {
    let readings = read(System::Bshaffer, &fixture("bshaffer-sqlite.sql"), options()).await.unwrap();
    assert_eq!(readings.problems, []);
    let clients: Vec<_> = all!(readings, Client).into_iter().collect();
    assert_eq!(clients[0].redirect_uris.len(), 2, "two lines, written by replace()");
    assert_eq!(clients[1].id.as_str(), "it's; \"quoted\"");
    assert_eq!(clients[1].secret, ForeignSecret::Plain(Secret::new("a\nb".to_owned())), "written by unistr()");
    assert_eq!(clients[1].grant_types, GrantTypes::Listed(Vec::new()));
    assert_eq!(readings.records.iter().filter(|record| record.kind() == Kind::RefreshToken).count(), 2);
}

#[tokio::test]
async fn dotauth_is_read_from_pg_dump() {
    let options = Options { tenant: Some("*DEFAULT*".to_owned()), ..options() };
    let readings = read(System::Dotauth, &fixture("dotauth-pg_dump.sql"), options).await.unwrap();
    let client = only!(readings, Client);
    assert_eq!(client.secret, ForeignSecret::Plain(Secret::new("s3cr3t".to_owned())), "not the thumbprint");
    assert_eq!(client.name.as_deref(), Some("The \"web\""));
    assert_eq!(client.lifetimes.access_token.unwrap().seconds(), 1800);
    assert_eq!(client.lifetimes.refresh_token, None);
    let user = only!(readings, User);
    assert!(matches!(user.password, ForeignPassword::DotauthSha256Hex(_)));
    assert_eq!(user.profile.given_name.as_deref(), Some("Alice"));
    assert_eq!(only!(readings, Consent).scope, Scope::parse("openid offline").unwrap());
    assert_eq!(only!(readings, Scope).description.as_deref(), Some("who you are"));
    assert_eq!(only!(readings, AccessToken).digest, digest("a.b.c"), "the other has expired");
    assert_eq!(readings.left_out_for(Kind::RefreshToken, &Reason::ClientMissing), 1);
    assert_eq!(readings.problems.len(), 1, "a document that is none");
}

#[tokio::test]
async fn a_dump_that_is_not_all_there_is_refused() {
    let whole = std::fs::read_to_string(fixture("redcore-mysqldump.sql")).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let cut_between = whole.find("CREATE TABLE `j3_users`").unwrap();
    let cut_inside = whole.find("'zoe@example.com'").unwrap();
    let twice = format!("{whole}\n{whole}");
    let without_columns =
        "-- MySQL dump\nINSERT INTO `oauth_redcore_oauth_clients` VALUES (1);\n-- Dump completed".to_owned();
    let cases = [
        (whole[..cut_between].to_owned(), "cut off", "between two statements"),
        (whole[..cut_inside].to_owned(), "is it all there?", "inside a statement"),
        (twice, "created twice", "two databases in one file"),
        (without_columns, "--complete-insert", "rows without the names of their columns"),
        (whole.replace("'2026-11-21 12:30:00'", "now()"), "NOW", "something other than values"),
        (whole.replace("(42,'Zoë Super',", "(42,"), "values, as many as there are columns", "a value too few"),
    ];
    for (text, words, why) in cases {
        let path = directory.path().join("dump.sql");
        std::fs::write(&path, text).unwrap();
        let error = read(System::Redcore, &path.display().to_string(), options()).await.unwrap_err().to_string();
        assert!(error.contains(words) && error.contains("line "), "{why}: {error}");
    }
}

#[tokio::test]
async fn installations_in_one_database_are_told_apart_by_their_prefix() {
    let whole = std::fs::read_to_string(fixture("redcore-mysqldump.sql")).unwrap();
    let body = &whole
        [whole.find("DROP TABLE IF EXISTS `j3_redcore_oauth_access_tokens`").unwrap()..whole.find("-- Dump").unwrap()];
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("dump.sql");
    let both = format!("{}{}-- Dump completed", whole.replace("-- Dump completed", "--"), body.replace("j3_", "j4_"));
    std::fs::write(&path, both).unwrap();
    let path = path.display().to_string();
    let error = read(System::Redcore, &path, options()).await.unwrap_err().to_string();
    assert!(error.contains("j3_") && error.contains("j4_") && error.contains("--table-prefix"), "{error}");
    let readings =
        read(System::Redcore, &path, Options { table_prefix: Some("j4_".to_owned()), ..options() }).await.unwrap();
    assert!(readings.records.iter().all(|record| record.origin().table.starts_with("j4_")));
}
