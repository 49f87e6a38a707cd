use std::error::Error;

/// What an error comes from, in words. The layers above only say that something failed, or name the URL, which may hold
/// what was asked.
pub(crate) fn cause(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let said = cause.to_string();
    // The two that everyone meets who runs a server of their own, and that the library tells by the names of its types.
    let plain = [
        (
            "UnknownIssuer",
            "its certificate comes from no authority that is trusted here",
        ),
        (
            "CaUsedAsEndEntity",
            "its certificate is an authority's (one that signs itself is), and a server needs one that an authority has signed",
        ),
    ];
    plain
        .iter()
        .find(|(name, _)| said.starts_with("invalid peer certificate") && said.contains(name))
        .map_or(said.clone(), |(_, plain)| (*plain).into())
}
