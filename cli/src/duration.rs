//! Times on the command line: a number and its unit.

use agent_gateway_machine::Millis;

/// Reads `1500ms`, `2.5s`, `10m` or `2h`.
///
/// # Errors
/// In a sentence: it is none of these.
pub(crate) fn parse(text: &str) -> Result<Millis, String> {
    let unit = text.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
    let factor = match unit {
        "ms" => 1.0,
        "s" => 1_000.0,
        "m" => 60_000.0,
        "h" => 3_600_000.0,
        _ => return Err("a time is a number and its unit: 1500ms, 2.5s, 10m or 2h".into()),
    };
    let number: f64 = text[..text.len() - unit.len()]
        .parse()
        .map_err(|_| "a time begins with a number: 1500ms, 2.5s, 10m or 2h".to_owned())?;
    let millis = (number * factor).round();
    // A century is more than anybody waits, and far below where a float loses its milliseconds.
    if millis > 3.2e12 {
        return Err("a time of more than a century".into());
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is whole, not negative, and below 2^53"
    )]
    Ok(Millis(millis as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_and_its_unit() {
        assert_eq!(parse("1500ms"), Ok(Millis(1_500)));
        assert_eq!(parse("2.5s"), Ok(Millis(2_500)));
        assert_eq!(parse("10m"), Ok(Millis(600_000)));
        assert_eq!(parse("2h"), Ok(Millis(7_200_000)));
        for text in [
            "",
            "s",
            "5",
            "-5s",
            "1.2.3s",
            "5 s",
            "5d",
            "1e9h",
            "9999999999h",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
