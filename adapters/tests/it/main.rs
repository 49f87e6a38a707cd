//! The hands, through their public doors.

mod api;
mod asking;
mod cancel;
mod closing;
mod credentials;
mod double;
mod driving;
mod headers;
mod leaving;
mod logs;
mod project;
mod proxy;
mod run;
mod settings;
mod sockets;
mod tls;
mod tools;
mod transport;
