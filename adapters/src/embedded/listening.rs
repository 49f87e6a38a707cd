//! Takes connections, and gives each request its time to be told.

use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::serve::Listener;
use hyper::server::conn::http1::Builder;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::timeout;

use super::{CLOSING, ended};

/// The head of a request has this long, from the connection's beginning or the answer before it.
const HEAD: Duration = Duration::from_secs(30);

/// Serves until the server is to end; what is open then has [`CLOSING`] to finish.
pub(super) async fn listen(mut listener: TcpListener, app: Router, end: watch::Receiver<bool>) {
    let mut http = Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD);
    let service = TowerToHyperService::new(app);
    loop {
        // The trait's: it waits where no more files can be opened.
        let (stream, _) = tokio::select! {
            accepted = Listener::accept(&mut listener) => accepted,
            () = ended(end.clone()) => return,
        };
        let connection = http
            .serve_connection(TokioIo::new(stream), service.clone())
            .with_upgrades();
        let end = end.clone();
        tokio::spawn(async move {
            let mut connection = pin!(connection);
            tokio::select! {
                // It may end as it likes: whoever asked has been told, or is gone.
                _ = connection.as_mut() => return,
                () = ended(end.clone()) => {}
            }
            connection.as_mut().graceful_shutdown();
            let _ = timeout(CLOSING, connection).await;
        });
    }
}
