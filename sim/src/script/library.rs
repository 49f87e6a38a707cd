/// A script that comes with this crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LibraryScript {
    /// Its name: the file's, without `.json`.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

macro_rules! library {
    ($($name:literal)*) => {
        /// Every script that comes with this crate, by name.
        pub const LIBRARY: &[LibraryScript] = &[
            $(LibraryScript {
                name: $name,
                text: include_str!(concat!("../../scripts/", $name, ".json")),
            },)*
        ];
    };
}

library! {
    "auth_refused"
    "cut_and_resumed"
    "demo"
    "good_run"
    "refresh_refused"
    "stop_before_reply"
    "stop_mid_stream"
    "token_refreshed"
    "tool_call"
}

/// The script of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static LibraryScript> {
    LIBRARY.iter().find(|script| script.name == name)
}
