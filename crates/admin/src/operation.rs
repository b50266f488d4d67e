use axum::routing::MethodFilter;
use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::ErrorCode;

/// The schema of a type.
pub(crate) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// What one method of one path does, for the router and for the OpenAPI document.
pub(crate) struct Operation {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) id: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) query: Option<SchemaOf>,
    pub(crate) body: Option<Takes>,
    pub(crate) status: u16,
    pub(crate) answer: Option<SchemaOf>,
    /// What it refuses with beside what every operation of its form does.
    pub(crate) errors: &'static [ErrorCode],
}

/// The method of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Post,
    Patch,
    Delete,
}

/// The body that an operation takes.
pub(crate) struct Takes {
    pub(crate) schema: SchemaOf,
    pub(crate) is_required: bool,
}

impl Operation {
    pub(crate) const fn get(path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new(Method::Get, path, id, summary)
    }

    pub(crate) const fn post(path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new(Method::Post, path, id, summary)
    }

    pub(crate) const fn patch(path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new(Method::Patch, path, id, summary)
    }

    pub(crate) const fn delete(path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new(Method::Delete, path, id, summary)
    }

    const fn new(method: Method, path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self { method, path, id, summary, query: None, body: None, status: 204, answer: None, errors: &[] }
    }

    /// It has a query.
    pub(crate) const fn query<T: JsonSchema>(mut self) -> Self {
        self.query = Some(SchemaGenerator::subschema_for::<T>);
        self
    }

    /// It has a body.
    pub(crate) const fn takes<T: JsonSchema>(mut self) -> Self {
        self.body = Some(Takes { schema: SchemaGenerator::subschema_for::<T>, is_required: true });
        self
    }

    /// It has a body that may be left out.
    pub(crate) const fn may_take<T: JsonSchema>(mut self) -> Self {
        self.body = Some(Takes { schema: SchemaGenerator::subschema_for::<T>, is_required: false });
        self
    }

    /// It answers 200.
    pub(crate) const fn answers<T: JsonSchema>(self) -> Self {
        self.answers_with::<T>(200)
    }

    /// It makes something, and answers 201.
    pub(crate) const fn creates<T: JsonSchema>(self) -> Self {
        self.answers_with::<T>(201)
    }

    const fn answers_with<T: JsonSchema>(mut self, status: u16) -> Self {
        self.status = status;
        self.answer = Some(SchemaGenerator::subschema_for::<T>);
        self
    }

    /// It refuses in these ways too.
    pub(crate) const fn refuses(mut self, errors: &'static [ErrorCode]) -> Self {
        self.errors = errors;
        self
    }

    /// Every way in which it refuses.
    pub(crate) fn refusals(&self) -> Vec<ErrorCode> {
        use ErrorCode::{
            Forbidden, Malformed, MediaType, NotFound, Rule, TooLarge, TooManyFailures, Unauthorized, Unavailable,
        };
        let of_path: &[_] = if self.path.contains('{') { &[NotFound] } else { &[] };
        let of_query: &[_] = if self.query.is_some() { &[Malformed, Rule] } else { &[] };
        let of_body: &[_] = if self.body.is_some() { &[Malformed, TooLarge, MediaType] } else { &[] };
        let of_all = &[Unauthorized, Forbidden, TooManyFailures, Unavailable];
        let mut refusals = [of_all, of_path, of_query, of_body, self.errors].concat();
        refusals.sort_by_key(|code| code.status());
        refusals.dedup();
        refusals
    }
}

impl Method {
    pub(crate) const fn filter(self) -> MethodFilter {
        match self {
            Self::Get => MethodFilter::GET,
            Self::Post => MethodFilter::POST,
            Self::Patch => MethodFilter::PATCH,
            Self::Delete => MethodFilter::DELETE,
        }
    }

    /// Its name in an OpenAPI document.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Post => "post",
            Self::Patch => "patch",
            Self::Delete => "delete",
        }
    }
}
