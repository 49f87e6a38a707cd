//! The rules by their ids, and which of them decided a step.
//!
//! The arm that carries a rule out cites it, so a step says *why* beside what is to be done: traces show it, diagrams
//! and viewers label with it, and a campaign or an exhaustive check can tell which rules it has never seen at work.

use core::fmt;

use serde::{Serialize, Serializer};

macro_rules! rules {
    ($($rule:ident,)*) => {
        /// A rule of `LIFECYCLE.md` that a transition can carry out.
        ///
        /// Left out are those that no single step of a run decides: what holds by the form of the types (R10, T5) and
        /// what concerns many runs (R8, G1–G3, see [`registry`](crate::registry)).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "LIFECYCLE.md says what each of them asks")]
        pub enum Rule {
            $($rule,)*
        }

        impl Rule {
            /// All of them, in the order of `LIFECYCLE.md`.
            pub const ALL: [Self; [$(Self::$rule),*].len()] = [$(Self::$rule),*];

            /// Its id in `LIFECYCLE.md`, such as `C5`.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self {
                    $(Self::$rule => stringify!($rule),)*
                }
            }
        }
    };
}

rules! {
    C1, C2, C3, C4, C5, C6, C7, C8, C9, C10, C11, C12, C13, C14, C15,
    S1, S2, S3, S4, S5, S6, S7, S8, S9, S9b, S10, S11, S12, S13, S14,
    R1, R2, R3, R4, R5, R6, R7, R9,
    T1, T2, T3, T4, T6, T7,
}

impl fmt::Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.id())
    }
}

/// A set of rules. Displayed, and written as JSON, in the order of `LIFECYCLE.md`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rules(u64);

// A rule is one bit of the word.
const _: () = assert!(Rule::ALL.len() <= 64);

impl Rules {
    /// Whether it has this rule.
    #[must_use]
    pub const fn contains(self, rule: Rule) -> bool {
        self.0 & bit(rule) != 0
    }

    /// Whether it has none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The rules in it, in the order of `LIFECYCLE.md`.
    pub fn iter(self) -> impl Iterator<Item = Rule> {
        Rule::ALL
            .into_iter()
            .filter(move |rule| self.contains(*rule))
    }

    /// The rules of both.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) const fn insert(&mut self, rule: Rule) {
        self.0 |= bit(rule);
    }
}

const fn bit(rule: Rule) -> u64 {
    1 << rule as u64
}

impl FromIterator<Rule> for Rules {
    fn from_iter<I: IntoIterator<Item = Rule>>(rules: I) -> Self {
        let mut set = Self::default();
        for rule in rules {
            set.insert(rule);
        }
        set
    }
}

impl fmt::Display for Rules {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, rule) in self.iter().enumerate() {
            if index > 0 {
                formatter.write_str(" ")?;
            }
            formatter.write_str(rule.id())?;
        }
        Ok(())
    }
}

impl Serialize for Rules {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(Rule::id))
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn a_set_says_its_rules_in_order() {
        let set: Rules = [Rule::T7, Rule::S9b, Rule::C1].into_iter().collect();
        assert_eq!(set.to_string(), "C1 S9b T7");
        assert_eq!(serde_json::to_string(&set).unwrap(), r#"["C1","S9b","T7"]"#);
        assert!(set.contains(Rule::S9b) && !set.contains(Rule::S9) && !set.is_empty());
        assert_eq!(set.union(Rules::default()), set);
    }
}
