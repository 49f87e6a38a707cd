//! The committed page of a diagram.

use super::Diagram;

impl Diagram {
    /// A Markdown page: what it shows, the picture, and the same as Mermaid text.
    #[must_use]
    pub fn to_page(&self) -> String {
        let name = self.subject.name();
        let about = self.subject.about();
        let mermaid = self.to_mermaid();
        format!(
            "<!-- Drawn from transitions of the real machine, and held against them by a test:\n     \
             UPDATE_DIAGRAMS=1 cargo test -p agent-gateway-sim --test diagrams -->\n\n\
             # The states of a {name}\n\n{about}\n\n\
             An edge says by which event, and in brackets by which rules of [`LIFECYCLE.md`](../../machine/LIFECYCLE.md) \
             the machine\ngoes that way; ` / ` stands between rules of different ways, and `always` names those of all \
             of them.\n\n\
             ![The states of a {name}]({name}.svg)\n\n```mermaid\n{mermaid}```\n"
        )
    }
}
