use crate::Pages;

/// What a scope means, in the words of its operator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScopeWords {
    /// The scope name, such as `photos:read`.
    pub name: String,
    /// What it allows, as the continuation of "… will be able to": `See your photos`.
    pub title: String,
    /// What else people should know, as a sentence; may be empty.
    pub detail: String,
}

/// The scopes that mean the same everywhere (OpenID Connect Core §5.4 and §11): name, title, detail.
const KNOWN: [[&str; 3]; 4] = [
    ["openid", "Know that it is you", "By an identifier of your account that is the same every time."],
    [
        "profile",
        "See your profile",
        "Your name, picture, birth date, gender and language, as far as your account has them.",
    ],
    ["email", "See your email address", "And whether it has been confirmed."],
    ["offline_access", "Stay connected", "It keeps this access after you have logged out, until you disconnect it."],
];

/// What is said about one scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Words<'a> {
    pub(crate) title: &'a str,
    pub(crate) detail: &'a str,
    /// Nobody has said what it means, and the title is its name.
    pub(crate) is_unexplained: bool,
}

impl Pages {
    /// What is said about the scope `name`.
    pub(crate) fn scope_words<'a>(&'a self, name: &'a str) -> Words<'a> {
        let own = self.scopes.iter().find(|words| words.name == name);
        let own = own.map(|words| (words.title.as_str(), words.detail.as_str()));
        let known = || KNOWN.iter().find(|known| known[0] == name).map(|[_, title, detail]| (*title, *detail));
        match own.or_else(known) {
            Some((title, detail)) => Words { title, detail, is_unexplained: false },
            None => Words { title: name, detail: "There is no description of this permission.", is_unexplained: true },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Brand;

    #[test]
    fn the_operators_words_stand_before_ours() {
        let own = |name: &str, title: &str| ScopeWords {
            name: name.to_owned(),
            title: title.to_owned(),
            ..ScopeWords::default()
        };
        let scopes = vec![own("photos:read", "See your photos"), own("email", "Write to you")];
        let pages = Pages::new(Brand { scopes, ..Brand::default() }, "");
        let cases = [
            ("photos:read", "See your photos", false),
            ("email", "Write to you", false),
            ("openid", "Know that it is you", false),
            ("photos:write", "photos:write", true),
        ];
        for (name, title, is_unexplained) in cases {
            let words = pages.scope_words(name);
            assert_eq!((words.title, words.is_unexplained), (title, is_unexplained), "{name}");
        }
    }
}
