//! What the machine asks of the server over HTTP, and the typed answers.
//!
//! Hands need to know neither: [`Call::api_call`] is what goes out, and [`Reply::read`] makes of an HTTP answer what the
//! machine is told.

mod call;
mod failure;
mod reading;
mod reply;

pub use call::Call;
pub use failure::{Refusal, RefusalKind, RequestFailure};
pub use reading::HttpAnswer;
pub use reply::{Reply, Started, StatusReport};

pub(crate) use reply::Start;
