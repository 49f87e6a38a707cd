//! How the states lead to each other, as little of it as a question needs: the way there, and the ways that are sure to
//! be taken sooner or later.

/// The states of an exploration by their numbers, and the steps between them.
#[derive(Debug, Default)]
pub(super) struct Graph {
    /// Of each state, how it was first met.
    origins: Vec<Origin>,
    /// Of each state, whether nothing more happens in it: the run has ended and is settled.
    ends: Vec<bool>,
    /// Of each state, whether all that may happen next has been looked at.
    explored: Vec<bool>,
    /// Fair steps, from and to.
    fair: Vec<(u32, u32)>,
}

/// How a state was first met: from which, by which of its actions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) parent: u32,
    pub(super) action: u8,
}

impl Origin {
    /// Of a state in which an exploration begins.
    pub(super) const NONE: Self = Self {
        parent: u32::MAX,
        action: 0,
    };
}

/// What one thread has found out about states.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) met: Vec<(u32, Origin, bool)>,
    pub(super) explored: Vec<u32>,
    pub(super) fair: Vec<(u32, u32)>,
}

impl Graph {
    pub(super) fn add(&mut self, count: u32, findings: Vec<Findings>) {
        let count = count as usize;
        self.origins.resize(count, Origin::NONE);
        self.ends.resize(count, false);
        self.explored.resize(count, false);
        for found in findings {
            for (number, origin, ends) in found.met {
                self.origins[number as usize] = origin;
                self.ends[number as usize] = ends;
            }
            for number in found.explored {
                self.explored[number as usize] = true;
            }
            self.fair.extend(found.fair);
        }
    }

    /// The way to a state: the state it begins in, and which action was taken in each one on the way.
    pub(super) fn way_to(&self, state: u32) -> (u32, Vec<u8>) {
        let mut way = Vec::new();
        let mut at = state;
        while let Some(origin) = self.origins.get(at as usize)
            && *origin != Origin::NONE
        {
            way.push(origin.action);
            at = origin.parent;
        }
        way.reverse();
        (at, way)
    }

    /// The first state from which no sequence of fair steps leads to an end. Where not everything was explored, a
    /// state may still lead to one.
    pub(super) fn stuck(&self) -> Option<u32> {
        let count = self.origins.len();
        let mut starts = vec![0_u32; count + 1];
        for (_, to) in &self.fair {
            starts[*to as usize + 1] += 1;
        }
        for place in 0..count {
            starts[place + 1] += starts[place];
        }
        let mut before = vec![0_u32; self.fair.len()];
        let mut next = starts.clone();
        for (from, to) in &self.fair {
            let slot = &mut next[*to as usize];
            before[*slot as usize] = *from;
            *slot += 1;
        }
        let states = self.ends.iter().zip(&self.explored);
        let mut leads: Vec<bool> = states.map(|(ends, explored)| *ends || !explored).collect();
        let mut open: Vec<usize> = (0..count).filter(|state| leads[*state]).collect();
        while let Some(state) = open.pop() {
            for from in &before[starts[state] as usize..starts[state + 1] as usize] {
                if !std::mem::replace(&mut leads[*from as usize], true) {
                    open.push(*from as usize);
                }
            }
        }
        // Numbers are given level by level: the first is among the nearest.
        leads
            .iter()
            .position(|leads| !leads)
            .map(|state| state as u32)
    }

    pub(super) fn bytes(&self) -> u64 {
        let state = size_of::<Origin>() + 2;
        (self.origins.capacity() * state + self.fair.capacity() * size_of::<(u32, u32)>()) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(count: u32, ends: &[u32], fair: &[(u32, u32)]) -> Graph {
        let met = (0..count).map(|state| (state, Origin::NONE, ends.contains(&state)));
        let mut graph = Graph::default();
        let findings = Findings {
            met: met.collect(),
            explored: (0..count).collect(),
            fair: fair.to_vec(),
        };
        graph.add(count, vec![findings]);
        graph
    }

    #[test]
    fn a_state_that_cannot_reach_an_end_is_stuck() {
        assert_eq!(graph(3, &[2], &[(0, 1), (1, 2)]).stuck(), None);
        assert_eq!(graph(3, &[2], &[(0, 1), (1, 0)]).stuck(), Some(0));
        assert_eq!(graph(3, &[2], &[(0, 2), (0, 1), (1, 1)]).stuck(), Some(1));
        assert_eq!(graph(2, &[], &[]).stuck(), Some(0));
    }

    #[test]
    fn a_loop_with_a_way_out_is_not_stuck() {
        assert_eq!(graph(3, &[2], &[(0, 1), (1, 0), (1, 2)]).stuck(), None);
    }
}
