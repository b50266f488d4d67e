use regrant_protocol::{CodeRequest, CodeVerifier, Params, RequestFault, Resource, TokenRequest};

/// The redemption of a code says what its form says; what is missing or malformed is `invalid_request`.
///
/// The bytes are the form after its grant type.
pub(crate) fn run(data: &[u8]) {
    let body = [b"grant_type=authorization_code&", data].concat();
    let Ok(params) = Params::parse(&body) else { return };
    let sent = |name| params.get(name);
    let request = match TokenRequest::parse(&params) {
        Ok(TokenRequest::AuthorizationCode(request)) => request,
        Ok(other) => panic!("{:?} was asked for", other.grant_type()),
        Err(RequestFault::Target(_)) => {
            return assert!(params.all("resource").any(|sent| Resource::parse(sent).is_err()));
        }
        Err(RequestFault::Missing(name)) => return assert_eq!((name, sent("code")), ("code", None)),
        Err(RequestFault::CodeVerifier(_)) => {
            return assert!(sent("code_verifier").is_some_and(|verifier| CodeVerifier::parse(verifier).is_err()));
        }
        Err(other) => panic!("{other:?} of a request without a fault"),
    };
    let CodeRequest { code, redirect_uri, code_verifier, resources } = request;
    assert_eq!(Some(code.expose()), sent("code"));
    assert_eq!(redirect_uri.as_deref(), sent("redirect_uri"), "it is compared byte for byte");
    assert_eq!(code_verifier.as_ref().map(CodeVerifier::expose), sent("code_verifier"));
    assert!(params.all("resource").all(|sent| resources.iter().map(Resource::as_str).any(|own| own == sent)));
}
