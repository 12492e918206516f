//! Failures that end the program, each with a code, and the JSON lines it prints.

use std::fmt::{self, Display};

/// What happened, where, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// `HG` and a number.
    pub code: &'static str,
    /// What happened.
    pub what: String,
    /// The file, directory, address or argument.
    pub location: String,
    /// What to do.
    pub fix: &'static str,
}

impl Failure {
    /// A failure from its four parts.
    pub fn new(
        code: &'static str,
        what: impl Display,
        location: impl Display,
        fix: &'static str,
    ) -> Self {
        Self { code, what: what.to_string(), location: location.to_string(), fix }
    }

    /// The failure as one JSON line.
    pub fn json(&self) -> String {
        let [code, what, location, fix] =
            [self.code, &self.what, &self.location, self.fix].map(json_string);
        format!(
            r#"{{"event":"failed","code":{code},"what":{what},"where":{location},"fix":{fix}}}"#
        )
    }
}

impl Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}: {} ({})", self.code, self.location, self.what, self.fix)
    }
}

impl std::error::Error for Failure {}

/// A JSON string, quotes included.
pub fn json_string(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if (c as u32) < 0x20 => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_json() {
        let failure = Failure::new("HG1", "a \"b\"\n", "c\\d", "e");
        let wanted =
            r#"{"event":"failed","code":"HG1","what":"a \"b\"\u000a","where":"c\\d","fix":"e"}"#;
        assert_eq!(failure.json(), wanted);
    }
}
