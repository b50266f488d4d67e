use std::process::Stdio;

use crate::desk::Desk;

#[test]
fn fifty_programs_that_wake_together_make_one_exchange() {
    let desk = Desk::logged_in();
    let first = desk.token(&[]);
    desk.let_time_pass();
    let spawn = |_| desk.command(&["get"]).stdout(Stdio::piped()).spawn().unwrap();
    let children: Vec<_> = (0..50).map(spawn).collect();
    let mut tokens: Vec<String> = children
        .into_iter()
        .map(|child| {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success());
            String::from_utf8(output.stdout).unwrap()
        })
        .collect();
    tokens.dedup();
    assert_eq!(tokens.len(), 1, "all have the token of one exchange");
    assert_ne!(tokens[0].trim(), first);
}
