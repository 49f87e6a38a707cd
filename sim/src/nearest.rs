//! What was most likely meant by a name that is none.

use strsim::osa_distance;

/// Longer ones are no name that somebody has mistyped.
const MOST_LETTERS: usize = 64;

/// The one of `names` that is nearest to `name`, if it is near: of each three letters one may be wrong, missing, too many,
/// or have changed places with the next.
#[must_use]
pub fn nearest<N: AsRef<str>>(name: &str, names: impl IntoIterator<Item = N>) -> Option<N> {
    let letters = name.chars().take(MOST_LETTERS + 1).count();
    if letters > MOST_LETTERS {
        return None;
    }
    let most = letters.div_ceil(3);
    names
        .into_iter()
        .map(|other| (osa_distance(name, other.as_ref()), other))
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, other)| other)
}

/// `: did you mean …?`, to stand behind what is said of a name that is none; nothing where no other is near.
#[must_use]
pub fn did_you_mean<N: AsRef<str>>(name: &str, names: impl IntoIterator<Item = N>) -> String {
    nearest(name, names).map_or_else(String::new, |other| {
        format!(": did you mean `{}`?", other.as_ref())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_letter_of_three_may_be_mistyped() {
        let names = ["steps", "reactions", "send_frame.auth", "outcome"];
        for (name, meant) in [
            ("step", Some("steps")),
            ("setps", Some("steps")),
            ("send_frame.auht", Some("send_frame.auth")),
            ("out_come", Some("outcome")),
            ("lunch", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, names), meant, "{name}");
        }
        assert_eq!(nearest(&"steps".repeat(100_000), names), None);
    }

    #[test]
    fn the_nearest_of_several_is_named() {
        let names = ["stopped", "stop", "steps"];
        assert_eq!(nearest("stpo", names), Some("stop"));
        assert_eq!(did_you_mean("stopt", names), ": did you mean `stop`?");
        assert_eq!(did_you_mean("x", names), "");
    }
}
