/// A form of a page, with what a browser would send if its user changed nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form {
    /// Where it is sent.
    pub action: String,
    /// How it is sent, in lower case.
    pub method: String,
    /// Hidden fields, fields with a value and ticked boxes, in order.
    pub fields: Vec<(String, String)>,
    /// The boxes that may be unticked.
    pub boxes: Vec<(String, String)>,
    /// The buttons that have a name.
    pub buttons: Vec<(String, String)>,
}

impl Form {
    /// The value of a field.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The form after `name` got this value; a field that it does not have is added.
    #[must_use]
    pub fn fill(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(own, _)| own != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The form with the box of this value unticked.
    #[track_caller]
    #[must_use]
    pub fn untick(mut self, value: &str) -> Self {
        let at = self.boxes.iter().position(|(_, own)| own == value);
        let removed = self.boxes.remove(at.unwrap_or_else(|| panic!("no box {value:?} in {self:?}")));
        self.fields.retain(|field| *field != removed);
        self
    }

    /// The form sent by the button with this name and value.
    #[track_caller]
    #[must_use]
    pub fn press(mut self, name: &str, value: &str) -> Self {
        let button = (name.to_owned(), value.to_owned());
        assert!(self.buttons.contains(&button), "no button {button:?} in {self:?}");
        self.fields.push(button);
        self
    }
}

/// The forms of a page, in order. Panics where the page is not what a careful template writes.
#[track_caller]
pub(crate) fn forms(html: &str) -> Vec<Form> {
    let mut forms: Vec<Form> = Vec::new();
    let mut is_inside = false;
    for source in html.split('<').skip(1) {
        let tag = Tag::read(source);
        match (tag.name.as_str(), forms.last_mut().filter(|_| is_inside)) {
            ("form", None) => {
                let method = tag.get("method").unwrap_or_else(|| "get".to_owned()).to_lowercase();
                let action = tag.get("action").expect("every form says where it is sent");
                forms.push(Form { action, method, ..Form::default() });
                is_inside = true;
            }
            ("form", Some(_)) => panic!("a form in a form: {html}"),
            ("/form", _) => is_inside = false,
            ("input", Some(form)) => form.take_input(&tag),
            ("button", Some(form)) => form.buttons.extend(tag.named_value()),
            _ => {}
        }
    }
    forms
}

impl Form {
    fn take_input(&mut self, input: &Tag<'_>) {
        let Some(field) = input.named_value() else { return };
        match input.get("type").as_deref() {
            Some("checkbox") => {
                if input.get("checked").is_some() {
                    self.fields.push(field.clone());
                }
                self.boxes.push(field);
            }
            Some("submit") => self.buttons.push(field),
            Some("hidden" | "text" | "password") => self.fields.push(field),
            other => panic!("an input of type {other:?}"),
        }
    }
}

/// A tag up to its closing angle bracket. Our pages quote every attribute and escape `<` and `"` in every text.
struct Tag<'a> {
    name: String,
    attributes: Vec<(&'a str, &'a str)>,
}

impl<'a> Tag<'a> {
    #[track_caller]
    fn read(source: &'a str) -> Self {
        let name_end = source.find(|c: char| c.is_whitespace() || c == '>').unwrap_or(source.len());
        let (name, mut rest) = source.split_at(name_end);
        let mut attributes = Vec::new();
        loop {
            rest = rest.trim_start();
            if rest.is_empty() || rest.starts_with(['>', '/']) {
                break;
            }
            let end = rest.find(|c: char| c == '=' || c == '>' || c.is_whitespace()).unwrap_or(rest.len());
            let (attribute, after) = rest.split_at(end);
            let Some(quoted) = after.strip_prefix('=') else {
                attributes.push((attribute, ""));
                rest = after;
                continue;
            };
            let quoted = quoted.strip_prefix('"').unwrap_or_else(|| panic!("an attribute is not quoted: <{source}"));
            let (value, after) = quoted.split_once('"').unwrap_or_else(|| panic!("a quote stays open: <{source}"));
            attributes.push((attribute, value));
            rest = after;
        }
        Self { name: name.to_lowercase(), attributes }
    }

    fn get(&self, name: &str) -> Option<String> {
        self.attributes.iter().find(|(own, _)| *own == name).map(|(_, value)| unescaped(value))
    }

    fn named_value(&self) -> Option<(String, String)> {
        Some((self.get("name")?, self.get("value").unwrap_or_default()))
    }
}

/// A text without its character references: the five that every template engine writes, and numbers.
fn unescaped(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        plain.push_str(&rest[..at]);
        let (reference, after) = rest[at + 1..].split_once(';').expect("an ampersand begins a character reference");
        plain.push(character(reference));
        rest = after;
    }
    plain + rest
}

fn character(reference: &str) -> char {
    let number = reference.strip_prefix('#').map(|number| match number.strip_prefix(['x', 'X']) {
        Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16),
        None => number.parse(),
    });
    match (reference, number) {
        ("amp", _) => '&',
        ("lt", _) => '<',
        ("gt", _) => '>',
        ("quot", _) => '"',
        ("apos", _) => '\'',
        (_, Some(Ok(number))) => char::from_u32(number).expect("a reference names a character"),
        _ => panic!("unknown character reference &{reference};"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_a_browser_would_send_it() {
        let html = r#"<!doctype html><p>a &lt;form&gt;</p><form class="x" method="POST" action="/a?b=1&amp;c=2">
            <input type="hidden" name="request" value="&#34;&#x27;&quot;&amp;"><input type="text" value="no name">
            <input type="checkbox" name="allow_0" value="read" checked><input type="checkbox" name="all" value="on">
            <button class="main" name="decision" value="allow">Allow</button><button>Send</button></form>
            <input type="hidden" name="outside" value="1">"#;
        let [form] = forms(html).try_into().unwrap();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!((form.method.as_str(), form.action.as_str()), ("post", "/a?b=1&c=2"));
        assert_eq!(form.fields, [pair("request", "\"'\"&"), pair("allow_0", "read")]);
        assert_eq!(form.boxes, [pair("allow_0", "read"), pair("all", "on")]);
        assert_eq!(form.buttons, [pair("decision", "allow")]);
        assert_eq!(form.clone().untick("read").fields, [pair("request", "\"'\"&")]);
        assert_eq!(form.press("decision", "allow").field("decision"), Some("allow"));
    }
}
