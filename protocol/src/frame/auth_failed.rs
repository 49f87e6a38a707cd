use alloc::boxed::Box;

use serde::{Deserialize, Serialize};

/// `auth_failed`: the token was refused; a close with 1008 follows.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AuthFailed {
    /// Why, in the gateway's words, such as `Authentication timeout`. Empty if it does not say.
    pub reason: Box<str>,
}
