use regrant_engine::BeforeClient;

use super::choice::{choice_values, named_values};

choice_values! {
    /// What is done about a body that is no form.
    OtherBody {
        /// It is refused with 415.
        Refuse = "refuse",
        /// It counts as a form without parameters.
        Empty = "empty",
    }

    /// What is done about a parameter that comes more than once.
    RepeatedParameter {
        /// The request is refused (RFC 6749 section 3.2).
        Refuse = "refuse",
        /// The last value counts.
        Last = "last",
    }

    /// What is done about a secret in the query, which is never read there.
    SecretsInQuery {
        /// Nothing: nobody looks.
        Ignore = "ignore",
        /// The request is refused.
        Refuse = "refuse",
    }

    /// How name and secret of a Basic header are written.
    BasicEncoding {
        /// Form-urlencoded (RFC 6749 section 2.3.1).
        Form = "form",
        /// As they are.
        Raw = "raw",
    }

    /// What is done about an Authorization header that is not Basic, or cannot be read.
    MalformedBasic {
        /// The client has not authenticated.
        Refuse = "refuse",
        /// It is as if there were none.
        Ignore = "ignore",
    }

    /// What is done about credentials in the body beside a Basic header.
    BasicBesideBody {
        /// A secret in the body is refused, and so is another client_id (RFC 6749 section 2.3).
        Refuse = "refuse",
        /// Only client_id and client_secret together are refused.
        RefusePair = "refuse-pair",
        /// The header counts.
        Basic = "basic",
    }

    /// What other methods than POST are answered.
    OtherMethods {
        /// 405 with an error in JSON.
        Words = "words",
        /// 405 without a body.
        Empty = "empty",
    }

    /// What OPTIONS is answered, where it is not the preflight of a script.
    OptionsMethod {
        /// As every other method than POST.
        Refuse = "refuse",
        /// 200 without a body, and what is allowed.
        Allow = "allow",
    }

    /// How token_type is told.
    TokenType {
        /// As `Bearer`.
        Bearer = "Bearer",
        /// As `bearer`.
        LowerCase = "bearer",
        /// Not at all.
        Absent = "absent",
    }

    /// How scope is told.
    ScopeMember {
        /// As text; not at all when it is empty.
        Text = "string",
        /// As text; as null when it is empty.
        Null = "null",
        /// Not at all.
        Absent = "absent",
    }

    /// What a refresh is answered after which the refresh token stays the same.
    KeptRefreshToken {
        /// It is sent again.
        Sent = "sent",
        /// No refresh token is sent.
        LeftOut = "left-out",
    }

    /// How expires_in is told.
    ExpiresIn {
        /// As a number.
        Number = "number",
        /// As a number in quotes.
        Text = "string",
        /// Not at all.
        Absent = "absent",
    }

    /// How expires_in is told of an access token that never expires.
    NeverExpires {
        /// Not at all.
        Absent = "absent",
        /// As null.
        Null = "null",
        /// As the largest number of Java.
        LongMax = "9223372036854775807",
    }

    /// How JSON is written.
    JsonStyle {
        /// As it is.
        Plain = "plain",
        /// As PHP does: a slash and whatever is not ASCII are escaped.
        Php = "php",
    }

    /// The header Cache-Control of an answer with tokens.
    CacheControl {
        /// `no-store`.
        NoStore = "no-store",
        /// `no-store,no-cache`.
        NoStoreNoCache = "no-store,no-cache",
    }

    /// Which headers against caches an error has.
    ErrorCaching {
        /// Cache-Control and Pragma, as a success.
        Both = "both",
        /// Cache-Control alone.
        CacheControl = "cache-control",
        /// None.
        Nothing = "none",
    }

    /// The members of an error.
    ErrorMembers {
        /// `error`, then `error_description`.
        CodeFirst = "error,error_description",
        /// `error_description`, then `error`.
        DescriptionFirst = "error_description,error",
        /// `error`, `status` with the HTTP status, and `detail`.
        StatusAndDetail = "error,status,detail",
    }

    /// The HTTP status for a client that did not authenticate.
    ClientFailureStatus {
        /// 400.
        BadRequest = "400",
        /// 401 (RFC 6749 section 5.2).
        Unauthorized = "401",
    }

    /// The header WWW-Authenticate of an answer with status 401.
    Challenge {
        /// None.
        Nothing = "none",
        /// Basic with our name as the realm, in quotes, and UTF-8.
        Regrant = "regrant",
        /// Basic with the host of the issuer as the realm, without quotes.
        Host = "host",
    }

    /// Whose names of errors and whose sentences are used.
    Words {
        /// Ours.
        Standard = "standard",
        /// Those of bshaffer's library, and of redCORE.
        Bshaffer = "bshaffer",
        /// Those of WSO2 Identity Server.
        Wso2 = "wso2",
        /// Those of DotAuth.
        Dotauth = "dotauth",
    }

    /// What a successful revocation is answered.
    RevocationBody {
        /// Nothing.
        Empty = "empty",
        /// Nothing, which says that it is JSON.
        EmptyJson = "empty-json",
        /// `{"revoked":true}`, without headers against caches.
        Revoked = "revoked",
    }

    /// Which values of token_type_hint are taken.
    TokenTypeHint {
        /// Any: it is a hint (RFC 7009 section 2.1).
        Any = "any",
        /// `access_token` and `refresh_token` alone.
        Known = "known",
    }
}

named_values!(BeforeClient {
    Nothing = "nothing", [" Nothing: the client comes first."],
    GrantType = "grant_type", [" That grant_type is missing or unknown."],
    Everything = "everything", [" Whatever is wrong with the form."],
});
