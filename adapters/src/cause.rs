use std::error::Error;

/// What an error comes from, in words. The layers above only say that something failed, or name the URL, which may hold
/// what was asked.
pub(crate) fn cause(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let said = cause.to_string();
    if !said.starts_with("invalid peer certificate") {
        return said;
    }
    // The two that everyone meets who runs a server of their own, and that the library tells by the names of its types.
    if said.contains("UnknownIssuer") {
        "its certificate comes from no authority that is trusted here".into()
    } else if said.contains("CaUsedAsEndEntity") {
        "its certificate is an authority's (one that signs itself is), and a server needs one that an authority has signed"
            .into()
    } else {
        said
    }
}
