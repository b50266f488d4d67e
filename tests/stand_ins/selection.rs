//! How a stand-in is selected: one line, choices of one's own, and another system at one path.

use std::fs;
use std::process::Command;

use crate::case::Server;
use crate::memory::Memory;
use crate::message::Request;
use crate::program::binary;
use crate::scene::{Scene, configuration};
use crate::system::{System, folder};

const ONE_PATH: &str = "[dialect]\njson = \"plain\"\n[dialect.paths]\n\"/oauth2/token\" = \"wso2\"\n";

#[test]
fn a_choice_can_be_made_otherwise_and_one_path_can_speak_another_dialect() {
    let system = System::read("bshaffer");
    let scene = Scene::start(&system, ONE_PATH).unwrap();
    let body_of = |path: &str| {
        let text = format!("POST {path} as TestClient\n\ngrant_type=a/b");
        scene.send(&Request::parse(&text, &system, &Memory::default())).body
    };
    let expected = r#"{"error":"unsupported_grant_type","error_description":"Grant type \"a/b\" not supported"}"#;
    assert_eq!(body_of("/token"), expected);
    let expected = r#"{"error_description":"Unsupported grant_type value","error":"invalid_request"}"#;
    assert_eq!(body_of("/oauth2/token"), expected);
}

#[test]
fn the_program_tells_what_results_and_how_wide_columns_have_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("regrant.toml");
    fs::write(&config, configuration(&System::read("bshaffer"), ONE_PATH)).unwrap();
    let file = config.to_str().unwrap();
    let told = |arguments: &[&str]| {
        let output = Command::new(binary()).arg("config").args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    };
    let printed = told(&["print", "--origin", "--config", file]);
    for part in ["json = \"plain\"", "words = \"bshaffer\"", "rotation = \"consume\"", "\"/oauth2/token\" = \"wso2\""] {
        assert!(printed.contains(part), "{part}: {printed}");
    }
    assert!(told(&["check", file]).contains("regrant's refresh tokens have 72"));
}

#[test]
fn the_example_of_the_page_works_as_it_is_copied() {
    let page = fs::read_to_string(folder().join("README.md")).unwrap();
    let (_, rest) = page.split_once("```toml\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("regrant.toml");
    fs::write(&config, example).unwrap();
    let output = Command::new(binary()).args(["config", "check"]).arg(&config).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
