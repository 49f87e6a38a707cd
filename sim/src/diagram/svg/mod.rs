//! SVG that stands by itself: its own colours for light and dark, its own background, no script, no font to load.

mod layout;

use std::fmt::Write;

use layout::{Link, Placed, Point, Size, place};

use super::{Diagram, Edge, Node, Region};

/// A letter of the labels, px: they are set in a fixed width, so that their size is known here.
const LETTER: f64 = 6.65;

/// A line of the labels, px.
const LINE: f64 = 15.0;

/// A letter of a state's name is at most this wide, px.
const NAME_LETTER: f64 = 8.6;

/// A letter of the sentence below the title, px.
const ABOUT_LETTER: f64 = 6.2;

/// Around the picture, px.
const MARGIN: f64 = 24.0;

/// Between two regions, px.
const GUTTER: f64 = 24.0;

/// Above everything, for the title, px.
const HEAD: f64 = 84.0;

/// Above a region, for its name, px.
const REGION_HEAD: f64 = 34.0;

/// Between two edges at the same state, px.
const PORT: f64 = 20.0;

/// The points where everything begins and ends, px.
const DOT: f64 = 16.0;

const STYLE: &str = "\
.paper{fill:#ffffff}
.title{font:600 17px system-ui,sans-serif;fill:#1f2328}
.about{font:12px system-ui,sans-serif;fill:#59636e}
.region{fill:none;stroke:#d1d9e0;stroke-dasharray:4 4}
.region-name{font:600 13px system-ui,sans-serif;fill:#59636e}
.node rect{fill:#ddf4ff;stroke:#0969da;stroke-width:1.5}
.node .name{font:600 14px system-ui,sans-serif;fill:#0a3069}
.dot{fill:#1f2328;stroke:#1f2328}
.ring{fill:none;stroke:#1f2328;stroke-width:1.5}
.edge path{fill:none;stroke:#6e7781;stroke-width:1.4}
.edge rect{fill:#ffffff;stroke:#d1d9e0}
.tip{fill:#6e7781}
.label{font:11px ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;fill:#1f2328;white-space:pre}
.rules{fill:#8250df}
.always{font-weight:700}
.edge:hover path{stroke:#bc4c00;stroke-width:2.4}
.edge:hover rect{stroke:#bc4c00}
@media (prefers-color-scheme:dark){
.paper{fill:#0d1117}
.title{fill:#f0f6fc}
.about,.region-name{fill:#9198a1}
.region{stroke:#3d444d}
.node rect{fill:#10243e;stroke:#4493f8}
.node .name{fill:#cae8ff}
.dot{fill:#f0f6fc;stroke:#f0f6fc}
.ring{stroke:#f0f6fc}
.edge path{stroke:#9198a1}
.edge rect{fill:#0d1117;stroke:#3d444d}
.tip{fill:#9198a1}
.label{fill:#f0f6fc}
.rules{fill:#d2a8ff}
.edge:hover path,.edge:hover rect{stroke:#ffa657}
}";

impl Diagram {
    /// The diagram as an SVG document.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let pictures: Vec<Picture> = self.regions.iter().map(Picture::new).collect();
        let mut body = String::new();
        let mut size = (self.subject.about().len() as f64 * ABOUT_LETTER, 0.0);
        if let [picture] = &pictures[..] {
            picture.write((MARGIN, HEAD), &mut body);
            let (width, height) = picture.placed.size;
            size = (width.max(size.0), HEAD + height);
        } else {
            let widest = pictures.iter().map(|picture| picture.framed().0);
            size.0 = widest.fold(size.0, f64::max);
            size.1 = HEAD - GUTTER;
            for row in rows(&pictures, size.0) {
                size.1 += GUTTER + write_row(row, size.0, size.1 + GUTTER, &mut body);
            }
        }
        self.document((size.0 + 2.0 * MARGIN, size.1 + MARGIN), &body)
    }

    fn document(&self, (width, height): Size, body: &str) -> String {
        let name = self.subject.name();
        let about = self.subject.about();
        let (width, height) = (number(width), number(height));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"title about\">\n\
             <title id=\"title\">The states of a {name}</title>\n\
             <desc id=\"about\">{about}</desc>\n\
             <style>\n{STYLE}\n</style>\n\
             <defs><marker id=\"tip\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"9\" markerHeight=\"9\" \
             markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path class=\"tip\" d=\"M0 1L10 5L0 9Z\"/></marker></defs>\n\
             <rect class=\"paper\" width=\"{width}\" height=\"{height}\"/>\n\
             <text class=\"title\" x=\"{MARGIN}\" y=\"36\">The states of a {name}</text>\n\
             <text class=\"about\" x=\"{MARGIN}\" y=\"58\">{about}</text>\n\
             {body}</svg>\n"
        )
    }
}

/// A region and where its parts are.
struct Picture<'a> {
    region: &'a Region,
    placed: Placed,
    /// The places of the points where everything begins and ends, among the nodes.
    begin: Option<usize>,
    end: Option<usize>,
}

impl<'a> Picture<'a> {
    fn new(region: &'a Region) -> Self {
        let sizes = region.nodes.iter().map(|node| node_size(region, node));
        let mut sizes: Vec<Size> = sizes.collect();
        let mut dot = |is_wanted: bool| {
            is_wanted.then(|| {
                sizes.push((DOT, DOT));
                sizes.len() - 1
            })
        };
        let begin = dot(region.edges.iter().any(|edge| edge.from.is_none()));
        let end = dot(region.edges.iter().any(|edge| edge.to.is_none()));
        let place_of = |name: Option<&str>, otherwise: Option<usize>| {
            let place = region.nodes.iter().position(|node| Some(node.name) == name);
            place.or(otherwise).unwrap_or_default()
        };
        let links: Vec<Link> = region
            .edges
            .iter()
            .map(|edge| Link {
                from: place_of(edge.from, begin),
                to: place_of(edge.to, end),
                label: label_size(edge),
            })
            .collect();
        let placed = place(&sizes, &links);
        Self {
            region,
            placed,
            begin,
            end,
        }
    }

    /// Its size with a frame around it.
    fn framed(&self) -> Size {
        let (width, height) = self.placed.size;
        (width + 2.0 * MARGIN, height + REGION_HEAD + MARGIN)
    }

    fn write(&self, (x, y): Point, svg: &mut String) {
        let _ = writeln!(
            svg,
            "<g transform=\"translate({} {})\">",
            number(x),
            number(y)
        );
        for (edge, path) in self.region.edges.iter().zip(&self.placed.links) {
            write_edge(edge, &path.points, path.label, svg);
        }
        for (node, centre) in self.region.nodes.iter().zip(&self.placed.nodes) {
            write_node(node, node_size(self.region, node), *centre, svg);
        }
        for (place, class) in [(self.begin, "dot"), (self.end, "ring")] {
            let Some(place) = place else { continue };
            let (x, y) = self.placed.nodes[place];
            write_circle(class, (x, y), DOT / 2.0, svg);
            if class == "ring" {
                write_circle("dot", (x, y), DOT / 4.0, svg);
            }
        }
        *svg += "</g>\n";
    }
}

/// Regions side by side, as many as fit.
fn rows<'a, 'b>(pictures: &'b [Picture<'a>], width: f64) -> Vec<Vec<&'b Picture<'a>>> {
    let mut rows = Vec::<Vec<&Picture>>::new();
    let mut left = 0.0;
    for picture in pictures {
        let (needed, _) = picture.framed();
        match rows.last_mut() {
            Some(row) if needed + GUTTER <= left => {
                row.push(picture);
                left -= needed + GUTTER;
            }
            _ => {
                rows.push(vec![picture]);
                left = width - needed;
            }
        }
    }
    rows
}

/// Writes regions side by side, each in a frame, over the whole width; gives their height.
fn write_row(row: Vec<&Picture<'_>>, width: f64, top: f64, svg: &mut String) -> f64 {
    let needed: f64 = row.iter().map(|picture| picture.framed().0).sum();
    let gutters = (row.len() - 1) as f64 * GUTTER;
    let share = (width - needed - gutters) / row.len() as f64;
    let height = row
        .iter()
        .map(|picture| picture.framed().1)
        .fold(0.0, f64::max);
    let mut left = MARGIN;
    for picture in row {
        let width = picture.framed().0 + share;
        write_frame(picture.region, (left, top), (width, height), svg);
        let inset = (width - picture.placed.size.0) / 2.0;
        picture.write((left + inset, top + REGION_HEAD), svg);
        left += width + GUTTER;
    }
    height
}

fn write_frame(region: &Region, (x, y): Point, (width, height): Size, svg: &mut String) {
    let (left, top) = (number(x), number(y));
    let (width, height) = (number(width), number(height));
    let _ = writeln!(
        svg,
        "<rect class=\"region\" x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" rx=\"8\"/>\n\
         <text class=\"region-name\" x=\"{}\" y=\"{}\">{}</text>",
        number(x + 12.0),
        number(y + 22.0),
        region.aspect.name()
    );
}

fn write_edge(edge: &Edge, points: &[Point], label: Point, svg: &mut String) {
    let from = edge.from.unwrap_or("(begin)");
    let to = edge.to.unwrap_or("(end)");
    let _ = writeln!(
        svg,
        "<g class=\"edge\" data-from=\"{from}\" data-to=\"{to}\"><title>{from} → {to}</title>\n\
         <path d=\"{}\" marker-end=\"url(#tip)\"/>",
        smooth(points)
    );
    let lines = edge.lines();
    if !lines.is_empty() {
        let (width, height) = label_size(edge);
        let (left, top) = (label.0 - width / 2.0, label.1 - height / 2.0);
        let _ = writeln!(
            svg,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"4\"/>",
            number(left),
            number(top),
            number(width),
            number(height)
        );
        write_lines(&lines, (left + 6.0, top + 5.0), width - 12.0, svg);
    }
    *svg += "</g>\n";
}

fn write_node(node: &Node, (width, height): Size, (x, y): Point, svg: &mut String) {
    let (left, top) = (x - width / 2.0, y - height / 2.0);
    let _ = writeln!(
        svg,
        "<g class=\"node\" data-name=\"{}\"><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"10\"/>\n\
         <text class=\"name\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
        node.name,
        number(left),
        number(top),
        number(width),
        number(height),
        number(x),
        number(top + 23.0),
        node.name
    );
    write_lines(
        &loop_lines(node),
        (left + 10.0, top + 36.0),
        width - 20.0,
        svg,
    );
    *svg += "</g>\n";
}

/// Events to the left, rules to the right.
fn write_lines(lines: &[(&str, String)], (left, top): Point, width: f64, svg: &mut String) {
    for (index, (trigger, rules)) in lines.iter().enumerate() {
        let y = number(top + LINE * (index as f64) + 11.0);
        let always = if *trigger == "always" { " always" } else { "" };
        let _ = writeln!(
            svg,
            "<text class=\"label{always}\" x=\"{}\" y=\"{y}\">{trigger}</text>",
            number(left)
        );
        if !rules.is_empty() {
            let _ = writeln!(
                svg,
                "<text class=\"label rules{always}\" x=\"{}\" y=\"{y}\" text-anchor=\"end\">{rules}</text>",
                number(left + width)
            );
        }
    }
}

fn write_circle(class: &str, (x, y): Point, radius: f64, svg: &mut String) {
    let (x, y) = (number(x), number(y));
    let _ = writeln!(
        svg,
        "<circle class=\"{class}\" cx=\"{x}\" cy=\"{y}\" r=\"{radius}\"/>"
    );
}

fn loop_lines(node: &Node) -> Vec<(&'static str, String)> {
    let loops = node.loops.iter();
    loops
        .map(|cause| (cause.trigger, cause.reasons.to_string()))
        .collect()
}

/// Wide enough for its name, and for its edges to stand beside each other.
fn node_size(region: &Region, node: &Node) -> Size {
    let name = node.name.len() as f64 * NAME_LETTER + 32.0;
    let edges = region.edges.iter();
    let own = edges.filter(|edge| edge.from == Some(node.name) || edge.to == Some(node.name));
    let least = name.max(own.count() as f64 * PORT);
    if node.loops.is_empty() {
        return (least, 36.0);
    }
    let (width, height) = text_size(&loop_lines(node));
    (least.max(width + 20.0), height + 44.0)
}

fn label_size(edge: &Edge) -> Size {
    let lines = edge.lines();
    if lines.is_empty() {
        return (0.0, 0.0);
    }
    let (width, height) = text_size(&lines);
    (width + 12.0, height + 10.0)
}

fn text_size(lines: &[(&str, String)]) -> Size {
    let letters = lines.iter().map(|(trigger, rules)| {
        let gap = if rules.is_empty() { 0 } else { 2 };
        trigger.len() + gap + rules.len()
    });
    let width = letters.max().unwrap_or(0) as f64 * LETTER;
    (width, lines.len() as f64 * LINE)
}

/// Through the points, with their corners rounded.
fn smooth(points: &[Point]) -> String {
    let mut path = String::new();
    let at = |(x, y): Point| format!("{} {}", number(x), number(y));
    let middle = |one: Point, other: Point| ((one.0 + other.0) / 2.0, (one.1 + other.1) / 2.0);
    let Some((first, rest)) = points.split_first() else {
        return path;
    };
    let _ = write!(path, "M{}", at(*first));
    let mut from = *first;
    for pair in rest.windows(2) {
        let (corner, next) = (pair[0], pair[1]);
        // Straight up to a little before the corner, then around it.
        let (before, after) = (
            towards(corner, from, middle(from, corner)),
            towards(corner, next, middle(corner, next)),
        );
        let _ = write!(path, "L{}Q{} {}", at(before), at(corner), at(after));
        from = corner;
    }
    if let Some(last) = rest.last() {
        let _ = write!(path, "L{}", at(*last));
    }
    path
}

/// The point on the way from `corner` to `other` where the rounding begins: 14 px away, or halfway.
fn towards(corner: Point, other: Point, halfway: Point) -> Point {
    let (dx, dy) = (other.0 - corner.0, other.1 - corner.1);
    let length = dx.hypot(dy);
    if length < 28.0 {
        return halfway;
    }
    (corner.0 + dx / length * 14.0, corner.1 + dy / length * 14.0)
}

/// One digit behind the point is enough for a pixel.
fn number(value: f64) -> String {
    let text = format!("{value:.1}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    if text == "-0" {
        "0".into()
    } else {
        text.to_owned()
    }
}
