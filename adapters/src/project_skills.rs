//! The skills of a project, to tell a run of (R1).

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use agent_gateway_protocol::RawJson;
use serde::Serialize;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// Where skills lie, each in a folder of its own. The first folder with a name has it.
const FOLDERS: [&str; 2] = [".agents/skills", ".claude/skills"];

/// Skills at most, in the order of their names.
const MOST: usize = 200;

/// Bytes of a `SKILL.md` that are looked at: its head is at its beginning.
const HEAD: u64 = 16 << 10;

/// Characters of a description that are told.
const DESCRIPTION: usize = 1_024;

/// A scan that takes longer is not waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// One skill, as `execAgent` takes it.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Skill {
    name: String,
    description: String,
    /// The folder it lies in.
    location: PathBuf,
}

/// The skills of the project in `root`: of each `SKILL.md` below `.agents/skills` and `.claude/skills` its `name`, its
/// `description` and its folder. Best effort: what cannot be read is left out, and after a second there are none.
pub async fn project_skills(root: &Path) -> Vec<RawJson> {
    let root = root.to_owned();
    let scanned = timeout(PATIENCE, spawn_blocking(move || scan(&root))).await;
    let skills = match scanned {
        Ok(Ok(skills)) => skills,
        Ok(Err(_)) | Err(_) => {
            tracing::debug!("project_skills_skipped");
            Vec::new()
        }
    };
    let json = skills.iter().map(RawJson::from_serialize);
    json.filter_map(Result::ok).collect()
}

fn scan(root: &Path) -> Vec<Skill> {
    let mut skills: Vec<Skill> = Vec::new();
    for folder in FOLDERS {
        let Ok(entries) = fs::read_dir(root.join(folder)) else {
            continue;
        };
        let mut folders: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        folders.sort();
        for folder in folders {
            if skills.len() == MOST {
                return skills;
            }
            if let Some(skill) = read(&folder)
                && !skills.iter().any(|known| known.name == skill.name)
            {
                skills.push(skill);
            }
        }
    }
    skills
}

fn read(folder: &Path) -> Option<Skill> {
    let path = folder.join("SKILL.md");
    // Opening a pipe or a device might wait for ever.
    if !path.metadata().ok()?.is_file() {
        return None;
    }
    let mut head = Vec::new();
    let file = File::open(path).ok()?;
    file.take(HEAD).read_to_end(&mut head).ok()?;
    let head = String::from_utf8_lossy(&head);
    let matter = front_matter(&head)?;
    Some(Skill {
        name: member(matter, "name")?,
        description: member(matter, "description")
            .unwrap_or_default()
            .chars()
            .take(DESCRIPTION)
            .collect(),
        location: folder.to_owned(),
    })
}

/// What stands between the two `---` at the beginning.
fn front_matter(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches('\u{feff}').strip_prefix("---")?;
    let rest = rest.trim_start_matches('\r').strip_prefix('\n')?;
    Some(rest.split_once("\n---")?.0)
}

/// The text of one member at the top: on its line, in quotation marks or not, or in the indented lines below.
fn member(matter: &str, name: &str) -> Option<String> {
    let mut lines = matter.lines();
    let first = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    let first = match first.trim() {
        // A block of text follows.
        "|" | "|-" | ">" | ">-" => "",
        other => other,
    };
    let below = lines.take_while(|line| line.is_empty() || line.starts_with([' ', '\t']));
    let words = std::iter::once(first).chain(below.map(str::trim));
    let text = words.filter(|part| !part.is_empty()).collect::<Vec<_>>();
    let text = text.join(" ");
    let quoted = |mark: char| text.strip_prefix(mark)?.strip_suffix(mark);
    let text = quoted('"').or_else(|| quoted('\'')).unwrap_or(&text);
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r1_the_head_of_a_skill_is_read_as_people_write_it() {
        let cases = [
            ("name: deploy\ndescription: Deploys it", "Deploys it"),
            (
                "description: \"Deploys: all\"\nname: deploy",
                "Deploys: all",
            ),
            (
                "name: 'deploy'\ndescription: >-\n  Deploys\n  it\nlicense: MIT",
                "Deploys it",
            ),
            (
                "name: deploy\ndescription: |\n  Deploys\n\n  it",
                "Deploys it",
            ),
            ("name: deploy\ndescription: Deploys\n  it", "Deploys it"),
        ];
        for (matter, description) in cases {
            let text = format!("---\n{matter}\n---\n# Deploy\nname: other");
            let matter = front_matter(&text).unwrap();
            assert_eq!(member(matter, "name").unwrap(), "deploy", "{matter}");
            assert_eq!(member(matter, "description").unwrap(), description);
        }
    }

    #[test]
    fn r1_a_file_without_a_head_is_no_skill() {
        for text in [
            "",
            "# Deploy",
            "---",
            "---\nname: deploy\n",
            "----\nname: x\n---",
        ] {
            assert_eq!(front_matter(text), None, "{text}");
        }
        assert_eq!(member("names: x\n  name: y", "name"), None);
        assert_eq!(member("name:\ndescription: x", "name"), None);
    }
}
