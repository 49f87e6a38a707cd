//! The diagrams: drawn whole, and the committed ones those of today's machine.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use agent_gateway_machine::{Attach, Config, Event, EventKind, State, Timestamp, transition};
use agent_gateway_protocol::GatewayUrl;
use agent_gateway_sim::diagram::{Aspect, Collector, Diagram, Subject, collect};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/diagrams");

static SEEN: LazyLock<Collector> = LazyLock::new(collect);

fn diagrams(with_loops: bool) -> [Diagram; 3] {
    Subject::ALL.map(|subject| Diagram::new(subject, &SEEN, with_loops))
}

/// `UPDATE_DIAGRAMS=1 cargo test -p agent-gateway-sim --test diagrams` writes them anew.
#[test]
fn the_committed_diagrams_are_those_of_the_machine() {
    for diagram in diagrams(false) {
        for (ending, text) in [("md", diagram.to_page()), ("svg", diagram.to_svg())] {
            let name = format!("{}.{ending}", diagram.subject.name());
            let path = Path::new(FOLDER).join(&name);
            if std::env::var_os("UPDATE_DIAGRAMS").is_some() {
                fs::create_dir_all(FOLDER).unwrap();
                fs::write(&path, &text).unwrap();
            }
            let committed = fs::read_to_string(&path).unwrap_or_default();
            assert!(
                committed == text,
                "docs/diagrams/{name} is not what the machine does: run this test with UPDATE_DIAGRAMS=1"
            );
        }
    }
}

#[test]
fn every_word_is_met_and_every_move_has_its_rule() {
    for diagram in diagrams(false) {
        for region in &diagram.regions {
            let met: Vec<_> = region.nodes.iter().map(|node| node.name).collect();
            assert_eq!(met, region.aspect.words());
            for edge in &region.edges {
                for cause in &edge.causes {
                    assert!(
                        !edge.always.is_empty() || !cause.reasons.are_none(),
                        "{:?}: {:?} → {:?} by {} has no rule",
                        region.aspect,
                        edge.from,
                        edge.to,
                        cause.trigger
                    );
                }
            }
        }
    }
}

/// What the documentation of the machine's rooms draws by hand.
#[test]
fn the_way_of_a_good_run_is_drawn() {
    let [run, connection, session] = diagrams(false);
    let has = |diagram: &Diagram, aspect, from, to, trigger| {
        let region = diagram
            .regions
            .iter()
            .find(|region| region.aspect == aspect);
        let mut edges = region.unwrap().edges.iter();
        let edge = edges.find(|edge| edge.from == Some(from) && edge.to == Some(to));
        let causes = &edge.unwrap_or_else(|| panic!("no {from} → {to}")).causes;
        assert!(
            causes.iter().any(|cause| cause.trigger == trigger),
            "{from} → {to} by {trigger}"
        );
    };
    has(&run, Aspect::Phase, "idle", "starting", "execute");
    has(
        &run,
        Aspect::Phase,
        "starting",
        "streaming",
        "reply started",
    );
    has(
        &run,
        Aspect::Phase,
        "streaming",
        "settling",
        "agent_runtime_end",
    );
    has(
        &run,
        Aspect::Phase,
        "settling",
        "ended",
        "reply marker_cleared",
    );
    has(
        &connection,
        Aspect::Status,
        "connecting",
        "authenticating",
        "connection_opened",
    );
    has(
        &connection,
        Aspect::Status,
        "authenticating",
        "connected",
        "auth_success",
    );
    has(
        &connection,
        Aspect::Status,
        "connected",
        "reconnecting",
        "alarm silence",
    );
    has(&session, Aspect::Seam, "closed", "open", "auth_success");
    has(&session, Aspect::Seam, "open", "closed", "resume_complete");
    has(&session, Aspect::Token, "held", "fetching", "auth_expired");
    has(&session, Aspect::End, "alive", "noted", "agent_runtime_end");
}

#[test]
fn a_collector_names_moves_by_event_and_rule_and_loops_only_if_asked() {
    let gateway = GatewayUrl::parse("http://localhost:8787").ok();
    let before = State::new(Config::new(gateway), 1).unwrap();
    let mut seen = Collector::default();
    let mut tell = |before: &State, kind| {
        let event = Event::new(Timestamp::ZERO, kind);
        let (after, effects) = transition(before.clone(), event.clone());
        seen.observe(before, &event, &effects, &after);
        after
    };
    let attach = Attach::new("op_1".into(), Some("tpc_1".into()));
    let after = tell(&before, EventKind::Attach(Box::new(attach.clone())));
    tell(&after, EventKind::Attach(Box::new(attach)));
    let after = tell(&after, EventKind::ReadingPaused);
    tell(&after, EventKind::Detach);

    let run = Diagram::new(Subject::Run, &seen, false);
    assert_eq!(
        run.to_mermaid(),
        "stateDiagram-v2\n    \
         [*] --> idle\n    \
         idle --> attaching : attach (S8 R7)\n    \
         attaching --> ended : detach (S8 S11 S12 R6)\n    \
         ended --> [*]\n"
    );
    let loops = Diagram::new(Subject::Run, &seen, true);
    let attaching = loops.regions[0]
        .nodes
        .iter()
        .find(|node| node.name == "attaching");
    let loops: Vec<_> = attaching
        .unwrap()
        .loops
        .iter()
        .map(|cause| cause.trigger)
        .collect();
    assert_eq!(loops, ["reading_paused"], "what is ignored is no loop");
}

#[test]
fn a_picture_is_well_formed_and_whole() {
    for diagram in diagrams(false).iter().chain(&diagrams(true)) {
        let svg = diagram.to_svg();
        let document = roxmltree::Document::parse(&svg).unwrap();
        let of_class = |class: &'static str| {
            let all = document.descendants();
            all.filter(move |node| node.attribute("class") == Some(class))
        };
        let nodes: Vec<_> = of_class("node")
            .filter_map(|node| node.attribute("data-name"))
            .collect();
        let edges: Vec<_> = of_class("edge").collect();
        let drawn = edges
            .iter()
            .map(|edge| (edge.attribute("data-from"), edge.attribute("data-to")));
        let expected = diagram.regions.iter().flat_map(|region| &region.nodes);
        assert_eq!(nodes, expected.map(|node| node.name).collect::<Vec<_>>());
        let expected = diagram.regions.iter().flat_map(|region| &region.edges);
        assert_eq!(
            drawn.collect::<Vec<_>>(),
            expected
                .clone()
                .map(|edge| (edge.from.or(Some("(begin)")), edge.to.or(Some("(end)"))))
                .collect::<Vec<_>>()
        );
        for (edge, drawn) in expected.zip(&edges) {
            let texts = drawn.descendants().filter(|node| node.has_tag_name("text"));
            let texts: BTreeSet<_> = texts.filter_map(|node| node.text()).collect();
            for (trigger, rules) in edge.lines() {
                assert!(texts.contains(trigger), "{trigger}");
                assert!(rules.is_empty() || texts.contains(&*rules), "{rules}");
            }
        }
    }
}

/// Labels and states stand beside each other, and no line runs through what is not its own.
#[test]
fn nothing_in_a_picture_covers_anything_else() {
    for diagram in diagrams(false).iter().chain(&diagrams(true)) {
        let svg = diagram.to_svg();
        let document = roxmltree::Document::parse(&svg).unwrap();
        let pictures = document
            .descendants()
            .filter(|node| node.attribute("transform").is_some());
        for picture in pictures {
            let boxes: Vec<_> = picture.children().filter_map(Area::of).collect();
            for (index, one) in boxes.iter().enumerate() {
                for other in &boxes[index + 1..] {
                    assert!(!one.overlaps(other), "{one:?} and {other:?}");
                }
            }
            for edge in picture
                .children()
                .filter(|node| node.attribute("class") == Some("edge"))
            {
                let own = Area::of(edge);
                let path = edge
                    .children()
                    .find(|node| node.has_tag_name("path"))
                    .unwrap();
                for (x, y) in points(path.attribute("d").unwrap()) {
                    let crossed = boxes
                        .iter()
                        .find(|one| one.holds(x, y) && Some(*one) != own.as_ref());
                    assert!(
                        crossed.is_none(),
                        "{:?} runs through {crossed:?}",
                        edge.attribute("data-from")
                    );
                }
            }
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Area {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
}

impl Area {
    /// The box of a state or of a label.
    fn of(node: roxmltree::Node) -> Option<Self> {
        let rect = node.children().find(|node| node.has_tag_name("rect"))?;
        let number = |name| rect.attribute(name).and_then(|text| text.parse().ok());
        Some(Self {
            left: number("x")?,
            top: number("y")?,
            width: number("width")?,
            height: number("height")?,
        })
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.left < other.left + other.width
            && other.left < self.left + self.width
            && self.top < other.top + other.height
            && other.top < self.top + self.height
    }

    /// Whether the point is inside, and not just at the rim.
    fn holds(&self, x: f64, y: f64) -> bool {
        let inside = |at: f64, from: f64, span: f64| at > from + 1.0 && at < from + span - 1.0;
        inside(x, self.left, self.width) && inside(y, self.top, self.height)
    }
}

/// Many points of a path of straight lines, with its corners as they were before they were rounded.
fn points(path: &str) -> Vec<(f64, f64)> {
    let spaced = path.replace(['M', 'L', 'Q'], " ");
    let numbers: Vec<f64> = spaced
        .split_whitespace()
        .map(|text| text.parse().unwrap())
        .collect();
    let corners: Vec<(f64, f64)> = numbers.chunks(2).map(|pair| (pair[0], pair[1])).collect();
    let between = |one: (f64, f64), other: (f64, f64)| {
        (0..=100).map(move |part| {
            let part = f64::from(part) / 100.0;
            (
                one.0 + (other.0 - one.0) * part,
                one.1 + (other.1 - one.1) * part,
            )
        })
    };
    corners
        .windows(2)
        .flat_map(|pair| between(pair[0], pair[1]))
        .collect()
}
