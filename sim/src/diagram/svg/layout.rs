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
    let centre = |index: usize| {
        let node = graph.node(&index.to_string());
        node.map_or((0.0, 0.0), |node| {
            (node.x.unwrap_or(0.0), node.y.unwrap_or(0.0))
        })
    };
    let nodes: Vec<Point> = (0..sizes.len()).map(centre).collect();
    let routes: Vec<Route> = links.iter().map(|link| Route::read(graph, link)).collect();
    let boxes = nodes.iter().zip(sizes);
    let labels = routes.iter().zip(links);
    let labels = labels.map(|(route, link)| (&route.label, &link.label));
    let standing: Vec<Standing> = boxes
        .chain(labels)
        .map(|(centre, size)| Standing {
            centre: *centre,
            size: *size,
        })
        .collect();
    let ports = Ports::new(&nodes, sizes, links, &routes);
    let paths: Vec<Path> = (0..links.len())
        .map(|index| {
            let link = links[index];
            let layers = (nodes[link.from].1, nodes[link.to].1);
            Path {
                points: points(&routes[index], ports.of(index), layers, &standing),
                label: routes[index].label,
            }
        })
        .collect();
    Placed {
        size: extent(&standing, &paths),
        nodes,
        links: paths,
    }
}

/// What `dagre` says of a link: through which places of the layers between its nodes it goes, and where its label is.
struct Route {
    inner: Vec<Point>,
    label: Point,
}

impl Route {
    fn read(graph: &Graph<NodeLabel, EdgeLabel>, link: &Link) -> Self {
        let edge = graph.edge(&link.from.to_string(), &link.to.to_string(), None);
        let Some(edge) = edge else {
            return Self {
                inner: Vec::new(),
                label: (0.0, 0.0),
            };
        };
        // The first and the last are at the nodes: these are our own ports.
        let inner = edge.points.get(1..edge.points.len().saturating_sub(1));
        let inner = inner.unwrap_or_default().iter();
        Self {
            inner: inner.map(|point| (point.x, point.y)).collect(),
            label: (edge.x.unwrap_or(0.0), edge.y.unwrap_or(0.0)),
        }
    }
}

/// The way of a link between its ports, led around what stands in the layers of its nodes, by their middles, and in those
/// between.
fn points(
    route: &Route,
    (start, end): (Point, Point),
    (first, last): (f64, f64),
    standing: &[Standing],
) -> Vec<Point> {
    let goes_down = start.1 < end.1;
    // Straight out of the layer of its node, and straight into that of the other.
    let (out, into) = if goes_down {
        (CLEARANCE, -CLEARANCE)
    } else {
        (-CLEARANCE, CLEARANCE)
    };
    let mut points = vec![start];
    points.push((start.0, edge_of_layer(standing, first, goes_down) + out));
    for (x, y) in &route.inner {
        points.push((*x, edge_of_layer(standing, *y, !goes_down)));
        points.push((*x, edge_of_layer(standing, *y, goes_down)));
    }
    points.push((end.0, edge_of_layer(standing, last, !goes_down) + into));
    points.push(end);
    points.dedup_by(|one, other| (one.0 - other.0).abs() < 0.5 && (one.1 - other.1).abs() < 0.5);
    points
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
    fn new(nodes: &[Point], sizes: &[Size], links: &[Link], routes: &[Route]) -> Self {
        let mut ports = vec![((0.0, 0.0), (0.0, 0.0)); links.len()];
        for (node, (centre, size)) in nodes.iter().zip(sizes).enumerate() {
            for is_lower in [false, true] {
                let side = centre.1
                    + if is_lower {
                        size.1 / 2.0
                    } else {
                        -size.1 / 2.0
                    };
                let mut ends = ends_at(node, is_lower, nodes, links, routes);
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
    routes: &[Route],
) -> Vec<LinkEnd> {
    let mut ends = Vec::new();
    for (index, link) in links.iter().enumerate() {
        let goes_down = nodes[link.from].1 < nodes[link.to].1;
        let inner = &routes[index].inner;
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
