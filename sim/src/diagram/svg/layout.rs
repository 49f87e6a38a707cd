//! Where everything of a region goes: `dagre` gives the layers and the order in them, and edges are led around what
//! stands in a layer, however tall it is.

use dagre::graph::{Graph, GraphOptions};
use dagre::{EdgeLabel, LayoutOptions, NodeLabel};

/// A point, in pixels.
pub(super) type Point = (f64, f64);

/// The width and height of a box, in pixels.
pub(super) type Size = (f64, f64);

/// An edge turns only so far away from the layer of its node, px: less than half of what is between two layers.
const CLEARANCE: f64 = 16.0;

/// From which node to which, by their places in the list, and the size of what is written on it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) label: Size,
}

/// A region with everything in its place; boxes by their centres.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub(super) size: Size,
    pub(super) nodes: Vec<Point>,
    pub(super) links: Vec<Path>,
}

/// The way of a link, and where its label stands.
#[derive(Clone, Debug)]
pub(super) struct Path {
    pub(super) points: Vec<Point>,
    pub(super) label: Point,
}

/// What stands in one place of a layer.
#[derive(Clone, Copy, Debug)]
struct Standing {
    centre: Point,
    size: Size,
}

/// Places the nodes, given by their sizes, and the links between them.
pub(super) fn place(sizes: &[Size], links: &[Link]) -> Placed {
    let mut graph = Graph::with_options(GraphOptions {
        directed: true,
        multigraph: true,
        compound: false,
    });
    for (index, (width, height)) in sizes.iter().enumerate() {
        let label = NodeLabel {
            width: *width,
            height: *height,
            ..NodeLabel::default()
        };
        graph.set_node(index.to_string(), Some(label));
    }
    for link in links {
        let label = EdgeLabel {
            width: link.label.0,
            height: link.label.1,
            labelpos: dagre::layout::types::LabelPos::Center,
            ..EdgeLabel::default()
        };
        graph.set_edge(
            link.from.to_string(),
            link.to.to_string(),
            Some(label),
            None,
        );
    }
    let options = LayoutOptions {
        nodesep: 28.0,
        edgesep: 28.0,
        ranksep: 76.0,
        ..LayoutOptions::default()
    };
    dagre::layout(&mut graph, Some(options));
    read(&graph, sizes, links)
}

fn read(graph: &Graph<NodeLabel, EdgeLabel>, sizes: &[Size], links: &[Link]) -> Placed {
    let nodes: Vec<Point> = (0..sizes.len())
        .map(|index| {
            let node = graph.node(&index.to_string());
            node.map_or((0.0, 0.0), |node| {
                (node.x.unwrap_or(0.0), node.y.unwrap_or(0.0))
            })
        })
        .collect();
    let routed: Vec<(Vec<Point>, Point)> = links
        .iter()
        .map(|link| {
            let edge = graph.edge(&link.from.to_string(), &link.to.to_string(), None);
            edge.map_or((Vec::new(), (0.0, 0.0)), |edge| {
                let points: Vec<Point> =
                    edge.points.iter().map(|point| (point.x, point.y)).collect();
                let inner = points
                    .get(1..points.len().saturating_sub(1))
                    .unwrap_or_default();
                (
                    inner.to_vec(),
                    (edge.x.unwrap_or(0.0), edge.y.unwrap_or(0.0)),
                )
            })
        })
        .collect();
    let standing: Vec<Standing> = nodes
        .iter()
        .zip(sizes)
        .chain(
            routed
                .iter()
                .zip(links)
                .map(|((_, label), link)| (label, &link.label)),
        )
        .map(|(centre, size)| Standing {
            centre: *centre,
            size: *size,
        })
        .collect();
    let ports = Ports::new(&nodes, sizes, links, &routed);
    let paths = routed.iter().enumerate().map(|(index, (inner, label))| {
        let (start, end) = ports.of(index);
        let mut points = vec![start];
        let goes_down = start.1 < end.1;
        // Straight out of the layer of its node, and straight into that of the other.
        let (out, into) = if goes_down {
            (CLEARANCE, -CLEARANCE)
        } else {
            (-CLEARANCE, CLEARANCE)
        };
        let leaves = edge_of_layer(&standing, nodes[links[index].from].1, goes_down);
        points.push((start.0, leaves + out));
        for (x, y) in inner {
            points.push((*x, edge_of_layer(&standing, *y, !goes_down)));
            points.push((*x, edge_of_layer(&standing, *y, goes_down)));
        }
        let reaches = edge_of_layer(&standing, nodes[links[index].to].1, !goes_down);
        points.push((end.0, reaches + into));
        points.push(end);
        points
            .dedup_by(|one, other| (one.0 - other.0).abs() < 0.5 && (one.1 - other.1).abs() < 0.5);
        Path {
            points,
            label: *label,
        }
    });
    let paths: Vec<Path> = paths.collect();
    let size = extent(&standing, &paths);
    Placed {
        size,
        nodes,
        links: paths,
    }
}

/// The lower or upper edge of the layer whose middle is at `y`: of the tallest thing in it.
fn edge_of_layer(standing: &[Standing], y: f64, lower: bool) -> f64 {
    let half = standing
        .iter()
        .filter(|one| (one.centre.1 - y).abs() < 0.5)
        .map(|one| one.size.1 / 2.0)
        .fold(0.0, f64::max);
    if lower { y + half } else { y - half }
}

fn extent(standing: &[Standing], paths: &[Path]) -> Size {
    let boxes = standing.iter().map(|one| {
        (
            one.centre.0 + one.size.0 / 2.0,
            one.centre.1 + one.size.1 / 2.0,
        )
    });
    let points = paths.iter().flat_map(|path| path.points.iter().copied());
    boxes
        .chain(points)
        .fold((0.0, 0.0), |(width, height), (x, y)| {
            (x.max(width), y.max(height))
        })
}

/// Where links leave and reach their nodes: side by side, in the order of where they go, so that none crosses another
/// at the node.
struct Ports(Vec<(Point, Point)>);

impl Ports {
    fn new(
        nodes: &[Point],
        sizes: &[Size],
        links: &[Link],
        routed: &[(Vec<Point>, Point)],
    ) -> Self {
        let mut ports = vec![((0.0, 0.0), (0.0, 0.0)); links.len()];
        for (node, (centre, size)) in nodes.iter().zip(sizes).enumerate() {
            for is_lower in [false, true] {
                let side = centre.1
                    + if is_lower {
                        size.1 / 2.0
                    } else {
                        -size.1 / 2.0
                    };
                let mut ends = ends_at(node, is_lower, nodes, links, routed);
                ends.sort_by(|one, other| {
                    one.towards
                        .total_cmp(&other.towards)
                        .then(one.link.cmp(&other.link))
                });
                let step = size.0 / (ends.len() as f64 + 1.0);
                for (place, end) in (1..).zip(&ends) {
                    let point = (centre.0 - size.0 / 2.0 + step * f64::from(place), side);
                    let (start, finish) = &mut ports[end.link];
                    *(if end.is_start { start } else { finish }) = point;
                }
            }
        }
        Self(ports)
    }

    fn of(&self, link: usize) -> (Point, Point) {
        self.0[link]
    }
}

struct LinkEnd {
    link: usize,
    is_start: bool,
    /// Where it goes from there, or comes from.
    towards: f64,
}

fn ends_at(
    node: usize,
    is_lower: bool,
    nodes: &[Point],
    links: &[Link],
    routed: &[(Vec<Point>, Point)],
) -> Vec<LinkEnd> {
    let mut ends = Vec::new();
    for (index, link) in links.iter().enumerate() {
        let goes_down = nodes[link.from].1 < nodes[link.to].1;
        let inner = &routed[index].0;
        if link.from == node && goes_down == is_lower {
            let next = inner.first().unwrap_or(&nodes[link.to]);
            ends.push(LinkEnd {
                link: index,
                is_start: true,
                towards: next.0,
            });
        }
        if link.to == node && goes_down != is_lower {
            let last = inner.last().unwrap_or(&nodes[link.from]);
            ends.push(LinkEnd {
                link: index,
                is_start: false,
                towards: last.0,
            });
        }
    }
    ends
}
