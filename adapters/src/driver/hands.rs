//! What the runs of one client reach out with.

use std::sync::Arc;

use agent_gateway_machine::{Call, Reply};

use crate::api::Api;
use crate::token_source::TokenSource;
use crate::transport::Transport;
use crate::vault::Vault;

pub(crate) struct Hands {
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) api: Arc<dyn Api>,
    pub(crate) source: Option<Arc<dyn TokenSource>>,
}

impl Hands {
    pub(super) async fn ask(&self, call: &Call, vault: &Vault) -> Reply {
        let (Call::MintToken, Some(source)) = (call, &self.source) else {
            return self.api.send(call, vault).await;
        };
        match source.mint().await {
            Ok((token, kind)) => Reply::TokenIssued(vault.keep(token, kind)),
            Err(failure) => Reply::Failed(failure),
        }
    }
}
