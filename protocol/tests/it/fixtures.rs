use agent_gateway_protocol::json::RawJson;
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
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) content_type: Option<String>,
    pub(crate) body: Option<String>,
    pub(crate) status: u16,
    pub(crate) answer: String,
}

pub(crate) fn exchanges() -> Vec<Exchange> {
    let file: Value = value(include_str!("../../fixtures/http_captures.json"));
    let text = |json: &Value| json.as_str().map(str::to_owned);
    file["captures"]
        .as_array()
        .unwrap()
        .iter()
        .map(|capture| {
            let (request, response) = (&capture["request"], &capture["response"]);
            Exchange {
                name: text(&capture["name"]).unwrap(),
                method: text(&request["method"]).unwrap(),
                path: text(&request["path"]).unwrap(),
                query: text(&request["raw_query"]).unwrap(),
                content_type: text(&request["headers"]["content-type"]),
                body: text(&request["body"]),
                status: u16::try_from(response["status"].as_u64().unwrap()).unwrap(),
                answer: response["body"].to_string(),
            }
        })
        .collect()
}

pub(crate) fn exchange(name: &str) -> Exchange {
    exchanges()
        .into_iter()
        .find(|known| known.name == name)
        .unwrap_or_else(|| panic!("no fixture {name}"))
}
