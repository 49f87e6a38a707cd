//! HTTP as the pure models see it: a request that came, an answer that goes out.

use std::borrow::Cow;

/// A request as it came, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
    /// `GET`, `POST`, …
    pub method: Box<str>,
    /// The path, still escaped, without the query.
    pub path: Box<str>,
    /// What follows `?`, still escaped.
    pub query: Option<Box<str>>,
    /// Name, in lower case, and value.
    pub headers: Vec<(Box<str>, Box<str>)>,
    /// The body.
    pub body: Box<[u8]>,
}

impl HttpRequest {
    /// The value of a header; its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| **known == *name)
            .map(|(_, value)| &**value)
    }

    /// The value of a query parameter, unescaped.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<String> {
        parameter(self.query.as_deref()?, name).map(Cow::into_owned)
    }

    /// Whether it goes to the API, and not to the gateway.
    pub(crate) fn is_of_api(&self) -> bool {
        self.path.contains("/trpc/")
    }

    /// The body, if it is UTF-8.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.body).ok()
    }
}

/// An answer as it goes out, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpResponse {
    /// The status.
    pub status: u16,
    /// Name, in lower case, and value.
    pub headers: Vec<(Box<str>, Box<str>)>,
    /// The body.
    pub body: Box<[u8]>,
}

impl HttpResponse {
    /// An answer in plain text.
    #[must_use]
    pub fn text(status: u16, body: &str) -> Self {
        Self::new(status, "text/plain; charset=utf-8", body)
    }

    /// An answer in JSON.
    #[must_use]
    pub fn json(status: u16, body: &str) -> Self {
        Self::new(status, "application/json", body)
    }

    /// An answer of some content type.
    #[must_use]
    pub fn new(status: u16, content_type: &str, body: &str) -> Self {
        Self {
            status,
            headers: vec![("content-type".into(), content_type.into())],
            body: body.as_bytes().into(),
        }
    }

    /// Adds a header; its name in lower case.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

/// The value of a parameter in a query, unescaped.
pub(crate) fn parameter<'a>(query: &'a str, name: &str) -> Option<Cow<'a, str>> {
    query
        .split('&')
        .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
        .map(unescape)
}

/// Undoes percent escapes; what is no escape stays as it is.
fn unescape(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    if !bytes.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        return Cow::Borrowed(text);
    }
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let escaped = bytes
            .get(at + 1..at + 3)
            .filter(|_| *byte == b'%')
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        at += if escaped.is_some() { 3 } else { 1 };
        plain.push(escaped.unwrap_or(if *byte == b'+' { b' ' } else { *byte }));
    }
    Cow::Owned(String::from_utf8_lossy(&plain).into_owned())
}

#[cfg(test)]
mod tests {
    use super::unescape;

    #[test]
    fn escapes_are_undone_and_noise_is_kept() {
        assert_eq!(unescape("op_%C3%BC%201%2B"), "op_ü 1+");
        assert_eq!(unescape("100%"), "100%");
        assert_eq!(unescape("%zz%4"), "%zz%4");
    }
}
