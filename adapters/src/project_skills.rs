//! The skills of a project, to tell a run of (R1).

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use agent_gateway_protocol::RawJson;
use serde::{Deserialize, Serialize};
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
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// Its `SKILL.md`, from the root: what the agent reads when it wants the skill.
    path: PathBuf,
}

/// What the head of a `SKILL.md` says.
#[derive(Default, Deserialize)]
struct Head {
    name: Option<String>,
    description: Option<String>,
}

/// The skills of the project in `root`: of each `SKILL.md` below `.agents/skills` and `.claude/skills` its `name` (that of
/// its folder, if it has none), its `description` and its path. Best effort: what cannot be read is left out, and after a
/// second there are none.
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
    let file = File::open(&path).ok()?;
    file.take(HEAD).read_to_end(&mut head).ok()?;
    let Head { name, description } = head_of(&String::from_utf8_lossy(&head));
    let written = |text: &String| !text.trim().is_empty();
    Some(Skill {
        name: match name.filter(written) {
            Some(name) => name,
            None => folder.file_name()?.to_str()?.to_owned(),
        },
        description: description
            .filter(written)
            .map(|text| text.trim_end().chars().take(DESCRIPTION).collect()),
        path: std::path::absolute(path).ok()?,
    })
}

/// What stands between the two `---` at the beginning; nothing if that is no YAML, which people write all the same.
fn head_of(text: &str) -> Head {
    let text = text.trim_start_matches('\u{feff}');
    let yaml = text
        .strip_prefix("---")
        .and_then(|rest| rest.split_once("\n---"));
    yaml.and_then(|(yaml, _)| serde_saphyr::from_str(yaml).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r1_the_head_of_a_skill_is_read_as_people_write_it() {
        for (yaml, description) in [
            ("name: deploy\ndescription: Deploys it", "Deploys it"),
            (
                "description: \"Deploys: all\"\nname: deploy",
                "Deploys: all",
            ),
            (
                "name: 'deploy'\r\ndescription: >-\r\n  Deploys\r\n  it\r\nlicense: MIT\r",
                "Deploys it",
            ),
            (
                "name: deploy\ndescription: |-\n  Deploys\n\n  it",
                "Deploys\n\nit",
            ),
            (
                "name: deploy # as in the sea\ndescription: Deploys\n  it\nmetadata: {tags: [a, b]}",
                "Deploys it",
            ),
        ] {
            let head = head_of(&format!("---\n{yaml}\n---\n# Deploy\nname: other"));
            assert_eq!(head.name.as_deref(), Some("deploy"), "{yaml}");
            assert_eq!(head.description.as_deref(), Some(description), "{yaml}");
        }
    }

    #[test]
    fn r1_a_head_that_cannot_be_read_says_nothing() {
        for text in [
            "",
            "# Deploy",
            "---",
            "---\nname: deploy\n",
            "---\nname: deploy: all\n---\n",
            "---\n- name: deploy\n---\n",
            "---\nname: [deploy]\n---\n",
            "---\na: &a [1]\nname: *b\n---\n",
        ] {
            let head = head_of(text);
            assert_eq!((head.name, head.description), (None, None), "{text}");
        }
    }
}
