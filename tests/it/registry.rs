//! Many runs: G1–G3, and the registry's half of R7 and R8.

use agent_gateway_machine::registry::{Directive, Registry, RegistryEvent, RunId, register};
use agent_gateway_machine::{
    Attach, AttachRefusal, ConnectionStatus, EventKind, Execute, Notification, Outcome, Receipt,
    RunStarted, TopicStatus,
};
use agent_gateway_protocol::api::ExecAgent;
use agent_gateway_protocol::{GatewayUrl, OperationId, TopicId};

struct Client(Registry);

impl Client {
    fn new() -> Self {
        let mut client = Self(Registry::default());
        let gateway = GatewayUrl::parse("https://gateway.example").ok();
        client.tell(RegistryEvent::ServerConfigured { gateway });
        client.tell(RegistryEvent::GatewayModeSwitched { on: true });
        client
    }

    fn tell(&mut self, event: RegistryEvent) -> Vec<Directive> {
        let (registry, directives) = register(std::mem::take(&mut self.0), event);
        self.0 = registry;
        directives
    }

    fn execute(&mut self) -> Vec<Directive> {
        let execute = Execute::new(ExecAgent::default());
        self.tell(RegistryEvent::Execute(Box::new(execute)))
    }

    fn attach(&mut self, operation: &str, topic: &str) -> Vec<Directive> {
        let attach = Attach::new(operation.into(), Some(topic.into()));
        self.tell(RegistryEvent::Attach(Box::new(attach)))
    }

    fn notify(&mut self, run: u64, notification: Notification) -> Vec<Directive> {
        let run = RunId(run);
        self.tell(RegistryEvent::Notified { run, notification })
    }

    fn started(&mut self, run: u64, operation: &str, topic: &str) -> Vec<Directive> {
        let started = RunStarted {
            operation: operation.into(),
            topic: Some(topic.into()),
            thread: None,
            assistant_message: None,
            user_message: None,
        };
        self.notify(run, Notification::RunStarted(Box::new(started)))
    }

    fn streams(&mut self, run: u64, topic: &str) -> Vec<Directive> {
        let topic = Some(TopicId::from(topic));
        let status = TopicStatus::Running;
        self.notify(run, Notification::TopicStatusChanged { topic, status })
    }

    fn ended(&mut self, run: u64) -> Vec<Directive> {
        let outcome = Outcome::Completed;
        let receipt = Receipt::default().into();
        self.notify(run, Notification::RunEnded { outcome, receipt })
    }
}

fn supersede(run: u64, by: &str) -> Directive {
    Directive::Tell {
        run: RunId(run),
        command: EventKind::Supersede {
            by: Some(by.into()),
        },
    }
}

#[test]
fn g1_an_operation_that_is_connected_anew_disconnects_the_old_one_first() {
    let mut client = Client::new();
    client.attach("op_1", "tpc_1");
    client.execute();
    assert_eq!(client.started(2, "op_1", "tpc_1"), [supersede(1, "op_1")]);
}

#[test]
fn g1_who_had_the_operation_is_told_once_and_is_gone() {
    let mut client = Client::new();
    for _ in 0..3 {
        client.execute();
    }
    client.started(3, "op_1", "tpc_1");
    assert_eq!(client.started(1, "op_1", "tpc_1"), [supersede(3, "op_1")]);
    assert_eq!(client.started(2, "op_1", "tpc_1"), [supersede(1, "op_1")]);
    for left in [1, 3] {
        assert_eq!(client.started(left, "op_1", "tpc_1"), []);
        client.ended(left);
        assert_eq!(client.0.owner(&"op_1".into()), Some(RunId(2)));
    }
    client.started(2, "op_2", "tpc_1");
    assert_eq!(client.0.owner(&"op_1".into()), None);
    assert_eq!(client.0.owner(&"op_2".into()), Some(RunId(2)));
}

#[test]
fn a_registry_that_is_written_and_read_knows_the_same() {
    let mut client = Client::new();
    client.execute();
    client.started(1, "op_1", "tpc_1");
    client.streams(1, "tpc_1");
    client.notify(1, Notification::StatusChanged(ConnectionStatus::Connected));
    let text = serde_json::to_string(&client.0).unwrap();
    let mut read = Client(serde_json::from_str(&text).unwrap());
    assert_eq!(read.0, client.0);
    assert_eq!(
        read.0.status(&"op_1".into()),
        Some(ConnectionStatus::Connected)
    );
    read.execute();
    read.started(2, "op_2", "tpc_1");
    assert_eq!(read.streams(2, "tpc_1"), [supersede(1, "op_2")]);
}

#[test]
fn g2_status_by_operation_and_unknown_ones_do_nothing() {
    let mut client = Client::new();
    client.execute();
    client.started(1, "op_1", "tpc_1");
    client.notify(1, Notification::StatusChanged(ConnectionStatus::Connected));
    let known = OperationId::from("op_1");
    let unknown = OperationId::from("op_2");
    assert_eq!(client.0.status(&known), Some(ConnectionStatus::Connected));
    assert_eq!(client.0.status(&unknown), None);
    let disconnect = |operation| RegistryEvent::Disconnect { operation };
    let interrupt = |operation| RegistryEvent::Interrupt { operation };
    assert_eq!(client.tell(disconnect(unknown.clone())), []);
    assert_eq!(client.tell(interrupt(unknown)), []);
    let tell = |command| {
        vec![Directive::Tell {
            run: RunId(1),
            command,
        }]
    };
    assert_eq!(
        client.tell(interrupt(known.clone())),
        tell(EventKind::Interrupt)
    );
    assert_eq!(
        client.tell(disconnect(known.clone())),
        tell(EventKind::Detach)
    );
    client.ended(1);
    assert_eq!(client.0.status(&known), None);
}

#[test]
fn g3_gateway_mode_needs_a_gateway_and_the_switch() {
    let mut client = Client(Registry::default());
    assert_eq!(client.execute(), [Directive::RefuseExecute]);
    let gateway = GatewayUrl::parse("wss://gateway.example").ok();
    client.tell(RegistryEvent::ServerConfigured { gateway });
    assert_eq!(client.execute(), [Directive::RefuseExecute]);
    client.tell(RegistryEvent::GatewayModeSwitched { on: true });
    assert!(matches!(client.execute()[..], [Directive::Begin { .. }]));
    client.tell(RegistryEvent::ServerConfigured { gateway: None });
    assert_eq!(client.execute(), [Directive::RefuseExecute]);
}

#[test]
fn r7_attach_is_refused_while_a_live_run_owns_the_operation() {
    let mut client = Client::new();
    client.execute();
    client.started(1, "op_1", "tpc_1");
    let refused = [Directive::RefuseAttach(AttachRefusal::Owned)];
    assert_eq!(client.attach("op_1", "tpc_1"), refused);
    client.ended(1);
    let begun = client.attach("op_1", "tpc_1");
    assert!(matches!(
        begun[..],
        [Directive::Begin { run: RunId(2), .. }]
    ));
    assert_eq!(client.attach("op_1", "tpc_1"), refused);
}

type Leave = fn(&mut Client);

/// Each way in which the run of `op_1` may come to leave.
fn ways_to_leave() -> [(&'static str, Leave); 3] {
    [
        ("disconnected", |client| {
            let operation = "op_1".into();
            client.tell(RegistryEvent::Disconnect { operation });
        }),
        ("left", |client| {
            client.tell(RegistryEvent::Left { run: RunId(1) });
        }),
        ("superseded", |client| {
            client.execute();
            client.started(2, "op_2", "tpc_1");
            assert_eq!(client.streams(2, "tpc_1"), [supersede(1, "op_2")]);
        }),
    ]
}

#[test]
fn r7_a_run_that_was_left_or_told_to_leave_has_nothing() {
    for (way, leave) in ways_to_leave() {
        let mut client = Client::new();
        client.execute();
        client.started(1, "op_1", "tpc_1");
        client.streams(1, "tpc_1");
        leave(&mut client);
        let operation = OperationId::from("op_1");
        assert_eq!(client.0.status(&operation), None, "{way}");
        let begun = client.attach("op_1", "tpc_1");
        let [Directive::Begin { run: new, .. }] = begun[..] else {
            panic!("{way}: {begun:?}");
        };
        // What the old one still tells is no matter of the new one.
        assert_eq!(client.started(1, "op_1", "tpc_1"), [], "{way}");
        assert_eq!(client.streams(1, "tpc_1"), [], "{way}");
        client.ended(1);
        assert_eq!(client.0.owner(&operation), Some(new), "{way}");
        let told = client.tell(RegistryEvent::Interrupt { operation });
        let command = EventKind::Interrupt;
        assert_eq!(told, [Directive::Tell { run: new, command }], "{way}");
    }
}

#[test]
fn r8_the_run_started_later_supersedes_the_older_one_on_its_topic() {
    let mut client = Client::new();
    client.execute();
    client.started(1, "op_1", "tpc_1");
    assert_eq!(client.streams(1, "tpc_1"), []);
    client.execute();
    client.started(2, "op_2", "tpc_1");
    assert_eq!(client.streams(2, "tpc_1"), [supersede(1, "op_2")]);
}

#[test]
fn r8_an_older_run_whose_start_was_slow_gives_way_to_the_newer_one() {
    let mut client = Client::new();
    client.execute();
    client.execute();
    client.started(2, "op_2", "tpc_1");
    assert_eq!(client.streams(2, "tpc_1"), []);
    client.started(1, "op_1", "tpc_1");
    assert_eq!(client.streams(1, "tpc_1"), [supersede(1, "op_2")]);
}

#[test]
fn r8_runs_on_other_topics_are_left_alone() {
    let mut client = Client::new();
    client.execute();
    client.started(1, "op_1", "tpc_1");
    client.streams(1, "tpc_1");
    client.execute();
    client.started(2, "op_2", "tpc_2");
    assert_eq!(client.streams(2, "tpc_2"), []);
}

#[test]
fn r8_a_run_that_is_over_gives_way_to_nobody() {
    let mut client = Client::new();
    client.execute();
    client.started(1, "op_1", "tpc_1");
    client.streams(1, "tpc_1");
    client.ended(1);
    client.execute();
    client.started(2, "op_2", "tpc_1");
    assert_eq!(client.streams(2, "tpc_1"), []);
}
