use std::path::PathBuf;

use clap::{Args, ValueEnum};

pub(super) const HELP: &str = "\
Nobody draws it: the real machine is driven through sessions in virtual time, and every transition that moves it becomes \
an edge, named by the event and, in brackets, the rules of machine/LIFECYCLE.md that decided it. Same program, same bytes. \
The diagrams in docs/diagrams are made by this.

Examples:
  agw diagram
      the run as Mermaid text, for a Markdown page or https://mermaid.live
  agw diagram --of connection -o connection.svg
      a picture, for light and dark
  agw diagram --of session --loops
      also what happens in each state without moving it";

/// `agw diagram`.
#[derive(Debug, Args)]
pub(crate) struct DiagramArguments {
    /// What to draw
    #[arg(long, value_enum, default_value_t = Drawn::Run, value_name = "WHAT")]
    pub(crate) of: Drawn,
    /// As what [default: svg for a file that ends in .svg, else mermaid]
    #[arg(long, value_enum, value_name = "FORM")]
    pub(crate) format: Option<DiagramForm>,
    /// Also what happens in each state without moving it
    #[arg(long)]
    pub(crate) loops: bool,
    /// Write it there instead of to standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// What a diagram is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Drawn {
    /// The phases of a run
    Run,
    /// The status of its connection
    Connection,
    /// Its session: the seam, the token, and what is known of the end
    Session,
}

/// How a diagram is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DiagramForm {
    /// Text of stateDiagram-v2
    Mermaid,
    /// A picture
    Svg,
}
