//! What a new run is told of its project: skills and repositories.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};

#[cfg(unix)]
use agent_gateway_adapters::project_skills;
use agent_gateway_adapters::{Api, Client, ClientError, Outcome, Vault};
use agent_gateway_machine::{Call, Config, Reply, RequestFailure, Started, State};
use agent_gateway_protocol::api::{ExecAgent, GlobalConfig};
use agent_gateway_protocol::{GatewayUrl, RawJson};
use async_trait::async_trait;

use crate::double::{Far, execute};

/// A project's folder of one test.
struct Project(PathBuf);

impl Project {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("agw-{}-{test}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn skill(&self, folder: &str, text: &str) {
        let folder = self.0.join(folder);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("SKILL.md"), text).unwrap();
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A server that notes what it is asked to start, and answers with a new topic, or with an error.
#[derive(Default)]
struct Starts {
    inputs: Mutex<Vec<ExecAgent>>,
    failing: Mutex<bool>,
}

impl Starts {
    fn last(&self) -> ExecAgent {
        self.inputs.lock().unwrap().last().unwrap().clone()
    }
}

#[async_trait]
impl Api for Starts {
    async fn send(&self, call: &Call, _: &Vault) -> Reply {
        match call {
            Call::StartRun(input) => {
                self.inputs.lock().unwrap().push((**input).clone());
                if *self.failing.lock().unwrap() {
                    return Reply::StartRefused { text: "no".into() };
                }
                Reply::Started(Box::new(Started {
                    operation: "op_1".into(),
                    topic: Some("tpc_new".into()),
                    agent: None,
                    thread: None,
                    assistant_message: None,
                    user_message: None,
                    token: None,
                }))
            }
            Call::FetchMessages(_) => Reply::Messages(RawJson::parse("[]").unwrap()),
            _ => Reply::Failed(RequestFailure::Lost { text: "".into() }),
        }
    }

    async fn global_config(&self) -> Result<GlobalConfig, RequestFailure> {
        unreachable!("the gateway is given")
    }
}

fn client(api: &Arc<Starts>, project: Option<&Path>) -> Client {
    let mut builder = Client::builder()
        .api(api.clone())
        .transport(Arc::new(Far::default()))
        .gateway(GatewayUrl::parse("ws://localhost:1").unwrap());
    if let Some(project) = project {
        builder = builder.project(project);
    }
    builder.build().unwrap()
}

/// As in `execute`, but in no topic yet.
fn new_topic() -> agent_gateway_adapters::Execute {
    let mut execute = execute();
    Arc::make_mut(&mut execute.input).app_context = None;
    execute
}

/// Starts a run and waits until it is started, or is not.
async fn start(client: &Client, execute: agent_gateway_adapters::Execute) {
    let mut run = client.execute(execute).await.unwrap();
    while run.operation().is_none() {
        if run.next().await.is_none() {
            assert!(matches!(
                run.outcome().await.unwrap().0,
                Outcome::StartFailed(_)
            ));
            return;
        }
    }
}

#[tokio::test]
async fn r1_skills_of_the_project_go_out_with_a_run() {
    let project = Project::new("skills");
    project.skill(
        ".agents/skills/deploy",
        "---\nname: deploy\ndescription: Deploys it\n---\n# Deploy",
    );
    project.skill(".claude/skills/deploy", "---\nname: deploy\n---\n");
    project.skill(".claude/skills/review", "---\nname: review\n---\n");
    project.skill(".claude/skills/headless", "# What it does");
    fs::create_dir_all(project.0.join(".claude/skills/empty")).unwrap();

    let api = Arc::<Starts>::default();
    start(&client(&api, Some(&project.0)), new_topic()).await;
    let path = |folder: &str| {
        project
            .0
            .join(folder)
            .join("SKILL.md")
            .display()
            .to_string()
    };
    let told: Vec<String> = api
        .last()
        .project_skills
        .unwrap()
        .iter()
        .map(RawJson::to_string)
        .collect();
    assert_eq!(
        told,
        [
            format!(
                r#"{{"name":"deploy","description":"Deploys it","path":"{}"}}"#,
                path(".agents/skills/deploy")
            ),
            format!(
                r#"{{"name":"headless","path":"{}"}}"#,
                path(".claude/skills/headless")
            ),
            format!(
                r#"{{"name":"review","path":"{}"}}"#,
                path(".claude/skills/review")
            ),
        ]
    );
    // The caller's own word goes before.
    let mut said = new_topic();
    Arc::make_mut(&mut said.input).project_skills = Some(Vec::new());
    start(&client(&api, Some(&project.0)), said).await;
    assert_eq!(api.last().project_skills, Some(Vec::new()));
}

#[tokio::test]
async fn r1_a_project_without_skills_holds_nothing_up() {
    let api = Arc::<Starts>::default();
    start(
        &client(&api, Some(Path::new("/nowhere/at/all"))),
        new_topic(),
    )
    .await;
    assert_eq!(api.last().project_skills, None);
}

/// Opening a pipe that nobody writes to would wait for ever.
#[cfg(unix)]
#[tokio::test]
async fn r1_a_skill_that_is_a_pipe_is_left_out() {
    let project = Project::new("pipe");
    let folder = project.0.join(".agents/skills/pipe");
    fs::create_dir_all(&folder).unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(folder.join("SKILL.md"))
        .status();
    assert!(made.unwrap().success());
    project.skill(".agents/skills/deploy", "---\nname: deploy\n---\n");
    assert_eq!(project_skills(&project.0).await.len(), 1);
}

fn repositories(input: &ExecAgent) -> Option<(Vec<String>, String)> {
    let metadata = input
        .app_context
        .as_ref()?
        .initial_topic_metadata
        .as_ref()?;
    let repos = metadata.repos.as_ref()?.iter().map(RawJson::to_string);
    Some((
        repos.collect(),
        metadata.working_directory.as_deref()?.into(),
    ))
}

#[tokio::test]
async fn r4_repositories_wait_until_a_topic_was_made_with_them() {
    let api = Arc::<Starts>::default();
    let client = client(&api, None);
    client.choose_repositories(["acme/rocket", "acme/anvil"]);
    let chosen = Some((
        vec![r#""acme/rocket""#.into(), r#""acme/anvil""#.into()],
        "acme/rocket".into(),
    ));
    // A run in a topic takes nothing along.
    start(&client, execute()).await;
    assert_eq!(repositories(&api.last()), None);
    assert_eq!(client.repositories().len(), 2);
    // One that cannot be started loses nothing.
    *api.failing.lock().unwrap() = true;
    start(&client, new_topic()).await;
    assert_eq!(repositories(&api.last()), chosen);
    assert_eq!(client.repositories().len(), 2);
    // One that makes a topic consumes them.
    *api.failing.lock().unwrap() = false;
    start(&client, new_topic()).await;
    assert_eq!(repositories(&api.last()), chosen);
    assert!(client.repositories().is_empty());
    start(&client, new_topic()).await;
    assert_eq!(repositories(&api.last()), None);
}

#[tokio::test]
async fn g3_a_run_restored_meanwhile_lets_no_new_one_through() {
    let project = Project::new("g3");
    let api = Arc::new(Starts::default());
    let client = Client::builder()
        .transport(Arc::new(Far::default()))
        .api(api.clone())
        .gateway(GatewayUrl::parse("ws://localhost:1").unwrap())
        .gateway_mode(false)
        .project(&project.0)
        .build()
        .unwrap();
    let mut execute = Box::pin(client.execute(execute()));
    // It looks for skills.
    let mut context = Context::from_waker(Waker::noop());
    assert!(execute.as_mut().poll(&mut context).is_pending());
    let gateway = GatewayUrl::parse("ws://localhost:1").unwrap();
    let stored = State::new(Config::new(Some(gateway)), 7).unwrap();
    let restored = client.restore(stored).await.unwrap();
    let refused = execute.await;
    assert!(
        matches!(refused, Err(ClientError::SwitchedOff)),
        "{refused:?}"
    );
    drop(restored);
}
