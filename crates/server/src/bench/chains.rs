use anyhow::{Result, ensure};
use form_urlencoded::byte_serialize;
use regrant_bench::{Chain, Endpoint, Refreshing, Repeating, Spending, Supply};

use crate::bench::options::Workload;

/// The chains of a load.
///
/// `rest` is the part of every form that says who asks. `tokens` are what they begin with: refresh tokens, codes or access tokens.
pub(super) fn chains(
    workload: Workload,
    endpoint: &Endpoint,
    rest: &str,
    tokens: &[String],
    count: usize,
) -> Result<Vec<Box<dyn Chain>>> {
    let spending = |forms: Vec<String>| {
        let supply = Supply::new(forms);
        (0..count).map(|_| boxed(Spending::new(endpoint.clone(), supply.clone()))).collect()
    };
    if workload != Workload::ClientCredentials {
        let may_share = matches!(workload, Workload::Exchange | Workload::Introspect | Workload::Revoke);
        let needed = if may_share { 1 } else { count };
        ensure!(
            tokens.len() >= needed,
            "{} tokens are too few for {count} chains; give each one of its own",
            tokens.len()
        );
    }
    Ok(match workload {
        Workload::Refresh
        | Workload::AtOnce
        | Workload::Idle
        | Workload::Overload
        | Workload::Hello
        | Workload::Bare
        | Workload::Instructions => {
            tokens.iter().take(count).map(|token| boxed(Refreshing::new(endpoint.clone(), rest, token))).collect()
        }
        Workload::Exchange => {
            let form = |code: &String| format!("grant_type=authorization_code&{rest}&code={}", encoded(code));
            spending(tokens.iter().map(form).collect())
        }
        Workload::ClientCredentials => {
            let form = format!("grant_type=client_credentials&{rest}");
            (0..count).map(|_| boxed(Repeating::new(endpoint, &form, None))).collect()
        }
        Workload::Introspect => {
            let form = |token: &String| format!("token={}&{rest}", encoded(token));
            let chain = |token| boxed(Repeating::new(endpoint, &form(token), Some("\"active\":true")));
            tokens.iter().cycle().take(count).map(chain).collect()
        }
        Workload::Revoke => spending(tokens.iter().map(|token| format!("token={}&{rest}", encoded(token))).collect()),
    })
}

fn boxed(chain: impl Chain + 'static) -> Box<dyn Chain> {
    Box::new(chain)
}

/// A value as it stands in a form.
pub(super) fn encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_form(workload: Workload) -> String {
        let endpoint = Endpoint::new("http://127.0.0.1:1/token", None, None).unwrap();
        let mut chains = chains(workload, &endpoint, "client_id=a", &["t+".to_owned()], 1).unwrap();
        let mut request = Vec::new();
        assert!(chains[0].next(&mut request));
        String::from_utf8(request).unwrap().split_once("\r\n\r\n").unwrap().1.to_owned()
    }

    #[test]
    fn each_load_posts_its_form() {
        for (workload, form) in [
            (Workload::Refresh, "grant_type=refresh_token&client_id=a&refresh_token=t%2B"),
            (Workload::Hello, "grant_type=refresh_token&client_id=a&refresh_token=t%2B"),
            (Workload::Exchange, "grant_type=authorization_code&client_id=a&code=t%2B"),
            (Workload::ClientCredentials, "grant_type=client_credentials&client_id=a"),
            (Workload::Introspect, "token=t%2B&client_id=a"),
            (Workload::Revoke, "token=t%2B&client_id=a"),
        ] {
            assert_eq!(first_form(workload), form);
        }
    }

    #[test]
    fn a_refresh_token_is_for_one_chain() {
        let endpoint = Endpoint::new("http://127.0.0.1:1/token", None, None).unwrap();
        let tokens = ["t".to_owned()];
        assert!(chains(Workload::Refresh, &endpoint, "", &tokens, 2).is_err());
        assert_eq!(chains(Workload::Introspect, &endpoint, "", &tokens, 2).unwrap().len(), 2);
        assert!(chains(Workload::Revoke, &endpoint, "", &[], 2).is_err());
    }
}
