/// An error and its causes in one line, each told once: many an error has its cause in its own text.
pub(crate) fn error_text(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the address cannot be used: {0}")]
    struct Told(#[source] std::fmt::Error);

    #[test]
    fn a_cause_is_told_once() {
        let cause = std::fmt::Error;
        for (error, expected) in [
            (anyhow!("alone"), "alone".to_owned()),
            (anyhow!("cause").context("around"), "around: cause".to_owned()),
            (Told(cause).into(), format!("the address cannot be used: {cause}")),
            (anyhow::Error::from(Told(cause)).context("login"), format!("login: the address cannot be used: {cause}")),
        ] {
            assert_eq!(error_text(&error), expected);
        }
    }
}
