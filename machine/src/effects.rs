//! The ordered list of effects one transition returns.

use alloc::vec::{self, Vec};
use core::hash::{Hash, Hasher};
use core::{mem, slice};

use serde::{Deserialize, Serialize};

use crate::effect::Effect;
use crate::rule::{Rule, Rules};

/// What to do, in the order to do it. Empty means: accepted, nothing to do.
///
/// Nearly every list has none or one, so one effect is held inline and does not allocate.
///
/// Beside the list stand the [rules](Self::rules) that decided it. They say why, not what: lists that ask for the same
/// are equal, and only the list is written as JSON.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Effect>", into = "Vec<Effect>")]
pub struct Effects {
    list: List,
    rules: Rules,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
enum List {
    #[default]
    None,
    One(Effect),
    Many(Vec<Effect>),
}

impl Effects {
    /// The empty list.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The rules that the transition carried out. A list read back from text has none.
    #[must_use]
    pub const fn rules(&self) -> Rules {
        self.rules
    }

    /// The effects, in order.
    #[must_use]
    #[inline]
    pub fn as_slice(&self) -> &[Effect] {
        match &self.list {
            List::None => &[],
            List::One(effect) => slice::from_ref(effect),
            List::Many(effects) => effects,
        }
    }

    /// How many there are.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.as_slice().len()
    }

    /// Whether there is nothing to do.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        matches!(self.list, List::None)
    }

    /// The effects, in order, by reference.
    #[inline]
    pub fn iter(&self) -> slice::Iter<'_, Effect> {
        self.as_slice().iter()
    }

    #[inline]
    pub(crate) fn cite(&mut self, rule: Rule) {
        self.rules.insert(rule);
    }

    #[inline]
    pub(crate) fn push(&mut self, effect: Effect) {
        if self.is_empty() {
            self.list = List::One(effect);
        } else {
            self.push_another(effect);
        }
    }

    #[inline(never)]
    fn push_another(&mut self, effect: Effect) {
        if let List::Many(effects) = &mut self.list {
            effects.push(effect);
            return;
        }
        // Where there are two there are mostly more: a status, a notice, the alarm.
        let mut effects = Vec::with_capacity(4);
        if let List::One(first) = mem::take(&mut self.list) {
            effects.push(first);
        }
        effects.push(effect);
        self.list = List::Many(effects);
    }
}

impl PartialEq for Effects {
    fn eq(&self, other: &Self) -> bool {
        self.list == other.list
    }
}

impl Eq for Effects {}

impl Hash for Effects {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.list.hash(hasher);
    }
}

impl From<Vec<Effect>> for Effects {
    fn from(mut effects: Vec<Effect>) -> Self {
        let list = if effects.len() > 1 {
            List::Many(effects)
        } else {
            effects.pop().map_or(List::None, List::One)
        };
        Self {
            list,
            rules: Rules::default(),
        }
    }
}

impl From<Effects> for Vec<Effect> {
    fn from(effects: Effects) -> Self {
        effects.into_iter().collect()
    }
}

impl FromIterator<Effect> for Effects {
    fn from_iter<I: IntoIterator<Item = Effect>>(effects: I) -> Self {
        let mut list = Self::new();
        for effect in effects {
            list.push(effect);
        }
        list
    }
}

/// The effects of one list, by value, in order.
#[derive(Debug)]
pub struct IntoIter(Left);

/// What is left of a list: as the list, mostly at most one.
#[derive(Debug)]
enum Left {
    One(Option<Effect>),
    Many(vec::IntoIter<Effect>),
}

impl Iterator for IntoIter {
    type Item = Effect;

    #[inline]
    fn next(&mut self) -> Option<Effect> {
        match &mut self.0 {
            Left::One(effect) => effect.take(),
            Left::Many(effects) => effects.next(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match &self.0 {
            Left::One(effect) => effect.iter().size_hint(),
            Left::Many(effects) => effects.size_hint(),
        }
    }

    #[inline]
    fn fold<B, F: FnMut(B, Effect) -> B>(self, start: B, fold: F) -> B {
        match self.0 {
            Left::One(effect) => effect.into_iter().fold(start, fold),
            Left::Many(effects) => effects.fold(start, fold),
        }
    }
}

impl ExactSizeIterator for IntoIter {}

impl IntoIterator for Effects {
    type Item = Effect;
    type IntoIter = IntoIter;

    fn into_iter(self) -> IntoIter {
        IntoIter(match self.list {
            List::None => Left::One(None),
            List::One(effect) => Left::One(Some(effect)),
            List::Many(effects) => Left::Many(effects.into_iter()),
        })
    }
}

impl<'a> IntoIterator for &'a Effects {
    type Item = &'a Effect;
    type IntoIter = slice::Iter<'a, Effect>;

    #[inline]
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
