use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use regrant_engine::{ErrorPage, RequestId};
use regrant_pages as pages;

use crate::caller::Caller;
use crate::form::FormFault;
use crate::site::Site;

/// What an error page shows; `request` is what the person may ask about.
pub(crate) fn error_page(error: ErrorPage, request: Option<&RequestId>) -> pages::ErrorPage {
    pages::ErrorPage {
        title: error.title.to_owned(),
        message: error.message.to_owned(),
        detail: Some(error.detail),
        request_id: request.map(|id| id.as_str().to_owned()),
    }
}

/// The words of a request cannot be read.
pub(crate) fn unreadable(fault: &FormFault) -> ErrorPage {
    let message = "Nothing was done. Go back to where you came from and begin again.";
    of_the_request(fault.status(), "This request cannot be read", message, fault.to_string())
}

/// A link is longer than `bytes_max`.
pub(crate) fn too_long(bytes_max: usize) -> ErrorPage {
    let detail = format!("path and query are longer than {bytes_max} bytes; send the parameters by POST");
    let message = "The application that sent you here made a mistake. Go back to it, and tell its makers.";
    of_the_request(StatusCode::URI_TOO_LONG, "This link is too long", message, detail)
}

/// A form of ours that another site sent.
pub(crate) fn from_elsewhere() -> ErrorPage {
    of_the_request(
        StatusCode::FORBIDDEN,
        "This form came from another site",
        "Nothing was done. Open the page again, and send its form from there.",
        "Sec-Fetch-Site or Origin says that the form was not sent by a page of this server".to_owned(),
    )
}

/// A method that a page does not take. The router adds `Allow`.
pub(crate) async fn method_not_allowed(State(site): State<Site>, Caller(context): Caller, method: Method) -> Response {
    let page = of_the_request(
        StatusCode::METHOD_NOT_ALLOWED,
        "There is no page here",
        "This address only takes what a form sends to it. Go back to where you came from.",
        format!("{method} is not one of the methods of this address, which the header Allow lists"),
    );
    site.error(page, context.id.as_ref())
}

/// An address at which there is nothing.
pub(crate) fn nothing_here(hint: &str) -> ErrorPage {
    let message = "The address is not one of this site. Perhaps a part of it is missing.";
    of_the_request(StatusCode::NOT_FOUND, "There is no page here", message, hint.to_owned())
}

fn of_the_request(status: StatusCode, title: &'static str, message: &'static str, detail: String) -> ErrorPage {
    ErrorPage { status: status.as_u16(), retry_after_seconds: None, title, message, detail }
}
