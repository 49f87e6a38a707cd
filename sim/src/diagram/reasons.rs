use std::fmt;

use agent_gateway_machine::{Rule, Rules};

/// The least sets of rules by which the same thing came about. A set that only adds to another one tells of what else
/// happened in the same step, and is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reasons(Vec<Rules>);

impl Reasons {
    /// One more way in which it came about.
    pub(super) fn add(&mut self, rules: Rules) {
        if self.0.iter().any(|known| is_part(*known, rules)) {
            return;
        }
        self.0.retain(|known| !is_part(rules, *known));
        self.0.push(rules);
        self.0
            .sort_by_cached_key(|rules| Vec::from_iter(rules.iter()));
    }

    /// Every way in which another one came about.
    pub(super) fn add_all(&mut self, other: &Self) {
        for rules in &other.0 {
            self.add(*rules);
        }
    }

    /// The sets, in the order of `LIFECYCLE.md`.
    pub fn iter(&self) -> impl Iterator<Item = Rules> {
        self.0.iter().copied()
    }

    /// Whether it came about without any rule.
    #[must_use]
    pub fn are_none(&self) -> bool {
        self.iter().all(Rules::is_empty)
    }

    /// The rules in all of the sets of all of these.
    pub(super) fn common<'a>(all: impl Iterator<Item = &'a Self> + Clone) -> Rules {
        let in_all = |rule: &Rule| {
            let mut sets = all.clone().flat_map(Self::iter);
            sets.all(|rules| rules.contains(*rule))
        };
        Rule::ALL.into_iter().filter(in_all).collect()
    }

    /// The same without these rules.
    pub(super) fn without(&self, rules: Rules) -> Self {
        let mut left = Self::default();
        for known in self.iter() {
            left.add(known.iter().filter(|rule| !rules.contains(*rule)).collect());
        }
        left
    }
}

/// `S2`, or `C2 C6 / C7` for two sets.
impl fmt::Display for Reasons {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, rules) in self.iter().enumerate() {
            if index > 0 {
                formatter.write_str(" / ")?;
            }
            write!(formatter, "{rules}")?;
        }
        Ok(())
    }
}

fn is_part(part: Rules, whole: Rules) -> bool {
    part.union(whole) == whole
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reasons(sets: &[&[Rule]]) -> Reasons {
        let mut reasons = Reasons::default();
        for set in sets {
            reasons.add(set.iter().copied().collect());
        }
        reasons
    }

    #[test]
    fn only_the_least_sets_stay_in_whatever_order_they_come() {
        use Rule::{C8, R6, S2, S9b, S11, T6};
        let sets: [&[Rule]; 4] = [
            &[S2, S11, R6, T6],
            &[S9b, S11, R6],
            &[S2, S11, R6],
            &[C8, S2, S11, R6],
        ];
        let one = reasons(&sets);
        let reversed: Vec<_> = sets.into_iter().rev().collect();
        assert_eq!(one, reasons(&reversed));
        assert_eq!(one.to_string(), "S2 S11 R6 / S9b S11 R6");
        let common = Reasons::common([&one, &reasons(&[&[S11, R6]])].into_iter());
        assert_eq!(common.to_string(), "S11 R6");
        assert_eq!(one.without(common).to_string(), "S2 / S9b");
    }

    #[test]
    fn no_rule_at_all_is_less_than_any() {
        let one = reasons(&[&[Rule::T1], &[]]);
        assert!(one.are_none());
        assert_eq!(one.to_string(), "");
    }
}
