use std::env;
use std::path::Path;
use std::str::FromStr;

use thiserror::Error;

/// `NAME=COMMAND` of the command line: which calls a program answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ToolSpecification {
    /// `identifier/apiName`, or `apiName` alone.
    pub(crate) name: String,
    /// The program, by path or by name.
    pub(crate) program: String,
    /// What it is given on its command line.
    pub(crate) arguments: Vec<String>,
}

/// Why a `NAME=COMMAND` cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum ToolSpecificationError {
    /// There is no `=`, or nothing before it.
    #[error(
        "`{0}` is not NAME=COMMAND, such as readFile=cat or lobe-local-system/readFile=./read.sh"
    )]
    NoName(String),
    /// There is nothing after the `=`.
    #[error("the tool `{0}` has no command after the `=`")]
    NoCommand(String),
    /// A quotation mark is opened and not closed.
    #[error("the command of the tool `{0}` has a quotation mark that is not closed")]
    OpenQuote(String),
}

impl ToolSpecification {
    /// Whether the program is there, as far as one can tell without running it.
    pub(crate) fn is_there(&self) -> bool {
        let program = Path::new(&self.program);
        if program.components().count() > 1 || cfg!(windows) {
            // What Windows would add to a name is its own business.
            return program.is_file() || cfg!(windows);
        }
        let folders = env::var_os("PATH").unwrap_or_default();
        env::split_paths(&folders).any(|folder| folder.join(program).is_file())
    }
}

impl FromStr for ToolSpecification {
    type Err = ToolSpecificationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, command) = text
            .split_once('=')
            .filter(|(name, _)| !name.is_empty())
            .ok_or_else(|| ToolSpecificationError::NoName(text.into()))?;
        let mut words = shell_words::split(command)
            .map_err(|_| ToolSpecificationError::OpenQuote(name.into()))?
            .into_iter();
        let program = words
            .next()
            .ok_or_else(|| ToolSpecificationError::NoCommand(name.into()))?;
        Ok(Self {
            name: name.into(),
            program,
            arguments: words.collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_split_into_words_as_a_shell_would_without_being_one() {
        let tool: ToolSpecification = "demo/act=./act.sh --say 'two words' $HOME".parse().unwrap();
        assert_eq!(tool.name, "demo/act");
        assert_eq!(tool.program, "./act.sh");
        assert_eq!(tool.arguments, ["--say", "two words", "$HOME"]);
    }

    #[test]
    fn a_command_may_hold_more_equals_signs() {
        let tool: ToolSpecification = "act=env A=b true".parse().unwrap();
        assert_eq!(tool.arguments, ["A=b", "true"]);
    }

    #[test]
    fn what_is_missing_is_named() {
        let error = |text: &str| text.parse::<ToolSpecification>().unwrap_err();
        assert_eq!(error("cat"), ToolSpecificationError::NoName("cat".into()));
        assert_eq!(error("=cat"), ToolSpecificationError::NoName("=cat".into()));
        assert_eq!(
            error("act="),
            ToolSpecificationError::NoCommand("act".into())
        );
        assert_eq!(
            error("act=cat 'x"),
            ToolSpecificationError::OpenQuote("act".into())
        );
    }
}
