use alloc::{boxed::Box, string::String};

use serde::{Deserialize, Serialize};

use super::{Method, Procedure};
use crate::{
    Object, OperationId, OperationStatus, RawJson,
    event::ErrorPayload,
    json::{JsonSlice, ToJson},
    members::members,
};

members! {
    /// `aiAgent.getOperationStatus`: how far a run is, as the server knows it.
    pub struct GetOperationStatus {
        /// The run.
        operation_id: required OperationId = "operationId",
    }
}

/// What `aiAgent.getOperationStatus` answers of a run it knows.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OperationStatusReport {
    /// The status (`currentState.status`).
    pub status: OperationStatus,
    /// What failed (`currentState.error`), in a sentence.
    pub error: Option<Box<str>>,
    /// The whole answer.
    pub raw: RawJson,
}

impl GetOperationStatus {
    /// The input with what it needs.
    pub fn new(operation_id: impl Into<OperationId>) -> Self {
        Self {
            operation_id: operation_id.into(),
            extra: Object::new(),
        }
    }
}

impl Procedure for GetOperationStatus {
    const PATH: &'static str = "aiAgent.getOperationStatus";
    const METHOD: Method = Method::Query;
    /// `None` of a run that is unknown or long over.
    type Reply = Option<OperationStatusReport>;

    fn write_input(&self, out: &mut String) {
        self.write_json(out);
    }

    fn read_reply(json: JsonSlice<'_>) -> Result<Self::Reply, &'static str> {
        if json.is_null() {
            return Ok(None);
        }
        if !json.is_object() {
            return Err("the reply is no object");
        }
        let state = json.member("currentState");
        let status = state
            .and_then(|state| state.member("status"))
            .and_then(JsonSlice::read);
        let error = state
            .and_then(|state| state.member("error"))
            .filter(|error| !error.is_null());
        Ok(Some(OperationStatusReport {
            // What leaves it out says nothing of the run, not that it is in a state of its own.
            status: status.ok_or("the reply has no currentState.status")?,
            error: error.map(|error| ErrorPayload::text_of(error).into()),
            raw: json.to_raw(),
        }))
    }
}
