//! Which of a name's addresses: Happy Eyeballs (RFC 8305).

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::timeout;

/// An address has this long before the next one is tried beside it: the "Connection Attempt Delay" recommended there.
const DELAY: Duration = Duration::from_millis(250);

/// Dials one address after the other: the next as soon as one fails, or when nothing has come of the latest for
/// [`DELAY`]. The first that connects is taken, and the others are given up; one that leads nowhere costs no more than
/// the delay.
pub(super) async fn first<T, F>(
    addresses: impl IntoIterator<Item = SocketAddr>,
    dial: impl Fn(SocketAddr) -> F,
) -> io::Result<T>
where
    F: Future<Output = io::Result<T>>,
{
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    let mut waiting = alternating(addresses).into_iter();
    let mut dials: FuturesUnordered<F> = waiting.next().map(&dial).into_iter().collect();
    while !dials.is_empty() {
        let done = match waiting.len() {
            0 => dials.next().await,
            _ => timeout(DELAY, dials.next()).await.unwrap_or_default(),
        };
        match done {
            Some(Ok(stream)) => return Ok(stream),
            Some(Err(error)) => failure = error,
            // It has had its time.
            None => {}
        }
        dials.extend(waiting.next().map(&dial));
    }
    Err(failure)
}

/// The two families in turn, beginning with that of the first address, each in the resolver's order: one of them may lead
/// nowhere as a whole.
fn alternating(addresses: impl IntoIterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let addresses: Vec<_> = addresses.into_iter().collect();
    let is_first = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (one, other): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .partition(|address| address.is_ipv6() == is_first);
    let mut other = other.into_iter();
    let mut ordered = Vec::with_capacity(one.len() + other.len());
    for address in one {
        ordered.push(address);
        ordered.extend(other.next());
    }
    ordered.extend(other);
    ordered
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::future::pending;

    use tokio::time::{Instant, sleep};

    use super::*;

    /// What comes of a dial, after so many ms.
    #[derive(Clone, Copy)]
    enum Fate {
        Connects(u64),
        Fails(u64),
        LeadsNowhere,
    }
    use Fate::{Connects, Fails, LeadsNowhere};

    /// Dials that are not over yet.
    struct Open<'a>(&'a Cell<usize>);

    impl Drop for Open<'_> {
        fn drop(&mut self) {
            self.0.set(self.0.get() - 1);
        }
    }

    /// Dials these: which one wins and when, or the failure; and when each was begun. All in ms.
    async fn race(fates: &[(&str, Fate)]) -> (Result<String, String>, u64, Vec<(String, u64)>) {
        let began = Instant::now();
        let ms = || u64::try_from(began.elapsed().as_millis()).unwrap();
        let (begun, open) = (RefCell::new(Vec::new()), Cell::new(0));
        let (begun_ref, open_ref) = (&begun, &open);
        let addresses = fates.iter().map(|(address, _)| address.parse().unwrap());
        let winner = first(addresses, |address: SocketAddr| async move {
            let name = address.to_string();
            begun_ref.borrow_mut().push((name.clone(), ms()));
            open_ref.set(open_ref.get() + 1);
            let _open = Open(open_ref);
            let (_, fate) = fates.iter().find(|(each, _)| *each == name).unwrap();
            match *fate {
                Connects(after) => sleep(Duration::from_millis(after)).await,
                Fails(after) => {
                    sleep(Duration::from_millis(after)).await;
                    return Err(io::Error::other(name));
                }
                LeadsNowhere => pending().await,
            }
            Ok(name)
        })
        .await
        .map_err(|failure| failure.to_string());
        assert_eq!(open.get(), 0, "the others are dropped");
        (winner, ms(), begun.into_inner())
    }

    fn begun(dials: &[(&str, u64)]) -> Vec<(String, u64)> {
        dials
            .iter()
            .map(|(name, at)| ((*name).into(), *at))
            .collect()
    }

    const A6: &str = "[2001:db8::1]:443";
    const B6: &str = "[2001:db8::2]:443";
    const C6: &str = "[2001:db8::3]:443";
    const A4: &str = "192.0.2.1:443";
    const B4: &str = "192.0.2.2:443";

    #[tokio::test(start_paused = true)]
    async fn an_address_that_leads_nowhere_costs_a_quarter_of_a_second() {
        let fates = [(A6, LeadsNowhere), (B6, LeadsNowhere), (A4, Connects(10))];
        let (winner, at, dials) = race(&fates).await;
        assert_eq!(winner.as_deref(), Ok(A4));
        assert_eq!(at, 260);
        assert_eq!(dials, begun(&[(A6, 0), (A4, 250)]));
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_that_fails_makes_room_for_the_next_at_once() {
        let fates = [
            (A6, Fails(20)),
            (A4, LeadsNowhere),
            (B4, Connects(30)),
            (B6, Fails(100)),
        ];
        let (winner, at, dials) = race(&fates).await;
        assert_eq!(winner.as_deref(), Ok(B4));
        assert_eq!(at, 400);
        // The second began at 20 ms, the third a quarter of a second later, and failed 100 ms later.
        assert_eq!(dials, begun(&[(A6, 0), (A4, 20), (B6, 270), (B4, 370)]));
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_that_is_only_slow_may_still_win() {
        let (winner, at, dials) = race(&[(A4, Connects(600)), (A6, Connects(900))]).await;
        assert_eq!(winner.as_deref(), Ok(A4));
        assert_eq!(at, 600);
        assert_eq!(dials, begun(&[(A4, 0), (A6, 250)]));
    }

    #[tokio::test(start_paused = true)]
    async fn families_take_turns_and_where_all_fail_the_latest_failure_is_told() {
        let fates = [A6, B6, C6, A4, B4].map(|address| (address, Fails(0)));
        let (winner, at, dials) = race(&fates).await;
        assert_eq!(winner, Err(C6.into()));
        assert_eq!(at, 0);
        let order: Vec<_> = dials.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(order, [A6, A4, B6, B4, C6]);
    }

    #[tokio::test]
    async fn a_name_without_an_address_is_told() {
        let (winner, _, _) = race(&[]).await;
        assert_eq!(winner, Err("the name has no address".into()));
    }
}
