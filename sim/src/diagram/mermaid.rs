//! Mermaid's `stateDiagram-v2`.

use std::fmt::Write;

use super::{Diagram, Edge, Node, Region};

impl Diagram {
    /// The diagram as Mermaid text.
    #[must_use]
    pub fn to_mermaid(&self) -> String {
        let mut text = String::from("stateDiagram-v2\n");
        if let [region] = &self.regions[..] {
            write_region(region, "    ", &mut text);
            return text;
        }
        for region in &self.regions {
            let name = region.aspect.name();
            // A bare `end` would be a keyword.
            text += &format!("    state \"{name}\" as the_{name} {{\n");
            write_region(region, "        ", &mut text);
            text += "    }\n";
        }
        text
    }
}

fn write_region(region: &Region, indent: &str, text: &mut String) {
    for edge in &region.edges {
        let from = edge.from.unwrap_or("[*]");
        let to = edge.to.unwrap_or("[*]");
        let _ = write!(text, "{indent}{from} --> {to}");
        *text += &label(edge);
        text.push('\n');
    }
    for node in &region.nodes {
        write_loops(node, indent, text);
    }
}

fn write_loops(node: &Node, indent: &str, text: &mut String) {
    if node.loops.is_empty() {
        return;
    }
    let _ = writeln!(text, "{indent}note right of {}", node.name);
    for cause in &node.loops {
        let line = line(cause.trigger, &cause.reasons.to_string());
        let _ = writeln!(text, "{indent}    {line}");
    }
    let _ = writeln!(text, "{indent}end note");
}

fn label(edge: &Edge) -> String {
    let lines: Vec<String> = edge
        .lines()
        .iter()
        .map(|(trigger, rules)| line(trigger, rules))
        .collect();
    if lines.is_empty() {
        String::new()
    } else {
        format!(" : {}", lines.join("<br/>"))
    }
}

fn line(trigger: &str, rules: &str) -> String {
    if rules.is_empty() {
        trigger.to_owned()
    } else {
        format!("{trigger} ({rules})")
    }
}
