use agent_gateway_protocol::{Object, json::RawJson, trpc::HttpMethod};
use serde_json::Value;

/// The composed example of every event: its name and the event.
pub(crate) fn events() -> Vec<(String, RawJson)> {
    let list: Vec<Value> =
        serde_json::from_str(include_str!("../../fixtures/events.json")).unwrap();
    list.into_iter()
        .map(|example| {
            let name = example["name"].as_str().unwrap().to_owned();
            (name, RawJson::from_serialize(&example["event"]).unwrap())
        })
        .collect()
}

/// The event of that name.
pub(crate) fn event(name: &str) -> RawJson {
    events()
        .into_iter()
        .find(|(known, _)| known == name)
        .unwrap_or_else(|| panic!("no fixture {name}"))
        .1
}

pub(crate) fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// One real exchange with a tRPC server.
pub(crate) struct Exchange {
    pub(crate) name: String,
    pub(crate) method: HttpMethod,
    pub(crate) path: String,
    /// The text after `?`.
    pub(crate) query: Option<String>,
    /// Empty if there was none.
    pub(crate) body: String,
    pub(crate) status: u16,
    /// The body of the answer, as it was on the wire.
    pub(crate) answer: String,
}

impl Exchange {
    pub(crate) fn is_batch(&self) -> bool {
        self.query
            .as_ref()
            .is_some_and(|query| query.starts_with("batch=1"))
    }

    /// What goes out: the path with its query, and the body.
    pub(crate) fn sent(&self) -> (String, Option<String>) {
        let path = match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        };
        (
            path,
            (self.method == HttpMethod::Post).then(|| self.body.clone()),
        )
    }
}

/// All real exchanges.
pub(crate) fn exchanges() -> Vec<Exchange> {
    let file = RawJson::parse(include_str!("../../fixtures/http_captures.json")).unwrap();
    let captures: Vec<Object> = object(&file).take("captures").unwrap();
    captures
        .into_iter()
        .map(|mut capture| {
            let mut request: Object = capture.take("request").unwrap();
            let mut response: Object = capture.take("response").unwrap();
            let query: String = request.take("raw_query").unwrap();
            let method: String = request.take("method").unwrap();
            Exchange {
                name: capture.take("name").unwrap(),
                method: if method == "GET" {
                    HttpMethod::Get
                } else {
                    HttpMethod::Post
                },
                path: request.take("path").unwrap(),
                query: query.strip_prefix('?').map(str::to_owned),
                body: request.take("body").unwrap_or_default(),
                status: u16::try_from(response.take::<u32>("status").unwrap()).unwrap(),
                answer: compact(response.get("body").unwrap().as_str()),
            }
        })
        .collect()
}

/// The exchange of that name.
pub(crate) fn exchange(name: &str) -> Exchange {
    exchanges()
        .into_iter()
        .find(|known| known.name == name)
        .unwrap_or_else(|| panic!("no fixture {name}"))
}

fn object(json: &RawJson) -> Object {
    Object::parse(json).unwrap()
}

/// The JSON without whitespace between tokens: the fixture is laid out for reading, the wire was not.
fn compact(json: &str) -> String {
    let (mut quoted, mut escaped) = (false, false);
    let keep = |letter: &char| {
        let inside = quoted;
        quoted ^= *letter == '"' && !escaped;
        escaped = inside && *letter == '\\' && !escaped;
        inside || !letter.is_ascii_whitespace()
    };
    json.chars().filter(keep).collect()
}
