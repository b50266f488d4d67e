use std::borrow::Cow;

use super::Dialect;

/// One choice of a [`Dialect`], as a configuration names it.
pub struct Choice {
    /// Its name.
    pub key: &'static str,
    /// What it decides.
    pub about: &'static str,
    /// What it may be. A value in capitals stands for a text of the operator's own.
    pub allowed: &'static [AllowedValue],
    pub(super) set: fn(&mut Dialect, &str) -> bool,
    pub(super) get: fn(&Dialect) -> String,
}

/// A value that a [`Choice`] may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllowedValue {
    /// The value.
    pub value: &'static str,
    /// What it does.
    pub does: &'static str,
}

/// Why a choice cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DialectChoiceError {
    /// No choice of this name.
    #[error("a dialect has no choice {key:?}; it has {}", keys())]
    Unknown {
        /// The name.
        key: String,
    },
    /// Not a value of that choice.
    #[error("{key} cannot be {value:?}; it can be {}", values(allowed))]
    Value {
        /// The choice.
        key: &'static str,
        /// The value.
        value: String,
        /// What it may be.
        allowed: &'static [AllowedValue],
    },
}

fn keys() -> String {
    Dialect::CHOICES.iter().map(|choice| choice.key).collect::<Vec<_>>().join(", ")
}

fn values(allowed: &[AllowedValue]) -> String {
    allowed.iter().map(|allowed| allowed.value).collect::<Vec<_>>().join(", ")
}

impl Dialect {
    /// Makes one choice otherwise than the system does.
    ///
    /// # Errors
    /// [`DialectChoiceError`]; the dialect is unchanged.
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), DialectChoiceError> {
        let choice = Self::CHOICES.iter().find(|choice| choice.key == key);
        let choice = choice.ok_or_else(|| DialectChoiceError::Unknown { key: key.to_owned() })?;
        if (choice.set)(self, value) {
            return Ok(());
        }
        Err(DialectChoiceError::Value { key: choice.key, value: value.to_owned(), allowed: choice.allowed })
    }

    /// What a choice is, in the words of [`Self::set`]; `None` when there is no such choice.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<String> {
        Self::CHOICES.iter().find(|choice| choice.key == key).map(|choice| (choice.get)(self))
    }
}

/// What a choice may be.
pub(super) trait ChoiceValue: Sized {
    /// Every value there is.
    const ALLOWED: &'static [AllowedValue];

    /// The value named `text`.
    fn parse(text: &str) -> Option<Self>;

    /// The name of the value.
    fn name(&self) -> Cow<'static, str>;
}

impl ChoiceValue for bool {
    const ALLOWED: &'static [AllowedValue] =
        &[AllowedValue { value: "true", does: "yes" }, AllowedValue { value: "false", does: "no" }];

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn name(&self) -> Cow<'static, str> {
        if *self { "true".into() } else { "false".into() }
    }
}

/// Declares what a choice may be, each value with its name; the comments are its reference.
macro_rules! choice_values {
    ($(
        $(#[doc = $about:literal])+
        $name:ident { $($(#[doc = $does:literal])+ $variant:ident = $value:literal,)+ }
    )+) => {$(
        $(#[doc = $about])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[doc = $does])+ $variant,)+
        }

        $crate::dialect::choice::named_values!($name { $($variant = $value, [$($does)+],)+ });
    )+};
}

/// Gives the values of an enum names, each with what it does.
macro_rules! named_values {
    ($name:ident { $($variant:ident = $value:literal, [$($does:literal)+],)+ }) => {
        impl $crate::dialect::choice::ChoiceValue for $name {
            const ALLOWED: &'static [$crate::dialect::choice::AllowedValue] =
                &[$($crate::dialect::choice::AllowedValue { value: $value, does: concat!($($does),+).trim_ascii() }),+];

            fn parse(text: &str) -> Option<Self> {
                match text {
                    $($value => Some(Self::$variant),)+
                    _ => None,
                }
            }

            fn name(&self) -> std::borrow::Cow<'static, str> {
                match self {
                    $(Self::$variant => $value.into(),)+
                }
            }
        }
    };
}

/// Declares [`Dialect`]: a field per choice, of the same name; the comments are its reference.
macro_rules! choices {
    ($($(#[doc = $about:literal])+ $field:ident: $kind:ty,)+) => {
        /// How endpoints read requests and word answers: plain data, of which every choice can be made by itself.
        ///
        /// What is decided is the same in every dialect; see the engine.
        #[derive(Clone, Debug, PartialEq)]
        pub struct Dialect {
            /// Where the endpoints are, beside our own paths.
            pub paths: $crate::dialect::Paths,
            $($(#[doc = $about])+ pub $field: $kind,)+
        }

        impl Dialect {
            /// Every choice there is.
            pub const CHOICES: &'static [$crate::dialect::Choice] = &[$($crate::dialect::Choice {
                key: stringify!($field),
                about: concat!($($about),+).trim_ascii(),
                allowed: <$kind as $crate::dialect::choice::ChoiceValue>::ALLOWED,
                set: |dialect, text| {
                    let value = <$kind as $crate::dialect::choice::ChoiceValue>::parse(text);
                    value.map(|value| dialect.$field = value).is_some()
                },
                get: |dialect| $crate::dialect::choice::ChoiceValue::name(&dialect.$field).into_owned(),
            }),+];
        }
    };
}

pub(super) use {choice_values, choices, named_values};
