use std::fmt;
use std::str::FromStr;

/// One part of a campaign that is split over machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shard {
    /// Which part, from 1.
    pub(crate) number: u64,
    /// How many parts there are.
    pub(crate) count: u64,
}

impl FromStr for Shard {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "a shard is I/N with I from 1 to N, such as 2/8";
        let (number, count) = text.split_once('/').ok_or(FORM)?;
        let number = number.parse().map_err(|_| FORM)?;
        let count = count.parse().map_err(|_| FORM)?;
        if (1..=count).contains(&number) {
            Ok(Self { number, count })
        } else {
            Err(FORM)
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.number, self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_one_of_so_many() {
        let shard = Shard {
            number: 2,
            count: 8,
        };
        assert_eq!("2/8".parse(), Ok(shard));
        assert_eq!(shard.to_string(), "2/8");
        for text in ["", "2", "0/8", "9/8", "1/0", "-1/8", "a/b", "1/2/3"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }
}
