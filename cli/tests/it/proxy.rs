//! The proxy that the environment names.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;

use serde_json::Value;

use crate::program::{Left, Live, agw};
use crate::stub::nobody;

const GOOD_RUN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../sim/scripts/good_run.json");

/// Leads whoever asks to `upstream`, whatever name was asked for, and tells each head. It ends with the test process.
fn proxy_to(upstream: String) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (heads, told) = mpsc::channel();
    thread::spawn(move || {
        for near in listener.incoming().flatten() {
            let (upstream, heads) = (upstream.clone(), heads.clone());
            // A client that leaves early is its own business.
            thread::spawn(move || lead(near, &upstream, &heads));
        }
    });
    (address, told)
}

fn lead(mut near: TcpStream, upstream: &str, heads: &mpsc::Sender<String>) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        near.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let mut far = TcpStream::connect(upstream)?;
    if head.starts_with(b"CONNECT ") {
        near.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    } else {
        far.write_all(&head)?;
    }
    let _ = heads.send(String::from_utf8_lossy(&head).into());
    let (mut from_near, mut to_far) = (near.try_clone()?, far.try_clone()?);
    thread::spawn(move || {
        let _ = std::io::copy(&mut from_near, &mut to_far);
        let _ = to_far.shutdown(Shutdown::Write);
    });
    std::io::copy(&mut far, &mut near)?;
    near.shutdown(Shutdown::Write)
}

#[test]
fn http_and_the_socket_go_through_the_environments_proxy_and_its_password_is_not_logged() {
    let mut serve = Live::start(agw(&["serve", GOOD_RUN]));
    let line = serve.line_with("clientToken");
    let said: Value = serde_json::from_str(&line).unwrap();
    let upstream = said["api"].as_str().unwrap().replace("http://", "");
    let (proxy, heads) = proxy_to(upstream);
    let output = agw(&["run", "-vv", "--json", "hi", "--allow-insecure"])
        .args(["--server", "http://lobe.example"])
        .args(["--gateway", "http://gateway.example"])
        .env("LOBEHUB_CLI_API_KEY", said["clientToken"].as_str().unwrap())
        .env("HTTP_PROXY", format!("http://ada:opensesame@{proxy}"))
        .output();
    let left = Left::from(output.unwrap());
    assert_eq!(left.code, Some(0), "{}", left.stderr);
    let heads: Vec<String> = heads.try_iter().collect();
    // ada:opensesame
    let authorization = "Basic YWRhOm9wZW5zZXNhbWU=";
    for start in [
        "CONNECT gateway.example:80 ",
        "POST http://lobe.example/trpc/",
    ] {
        let head = heads.iter().find(|head| head.starts_with(start));
        let head = head.unwrap_or_else(|| panic!("no `{start}` in {heads:?}"));
        assert!(head.contains(authorization), "{head}");
    }
    for secret in [
        "opensesame",
        authorization,
        said["clientToken"].as_str().unwrap(),
    ] {
        assert!(!left.stderr.contains(secret), "{}", left.stderr);
    }
    assert!(left.stderr.contains("dial_started"), "{}", left.stderr);
}

#[test]
fn nothing_on_this_machine_goes_through_a_proxy() {
    for proxy in [nobody(), "socks5h://127.0.0.1:1".into(), "no proxy".into()] {
        let output = agw(&["run", "--script", GOOD_RUN, "hi"])
            .env("HTTP_PROXY", &proxy)
            .env("ALL_PROXY", &proxy)
            .output();
        let left = Left::from(output.unwrap());
        assert_eq!(left.code, Some(0), "{proxy}: {}", left.stderr);
    }
}

#[test]
fn a_proxy_of_another_kind_is_refused_without_its_password() {
    let output = agw(&["run", "hi", "--server", "https://lobe.example"])
        .env("ALL_PROXY", "socks5://ada:opensesame@127.0.0.1:1080")
        .output();
    let left = Left::from(output.unwrap());
    left.complains(2, &["127.0.0.1:1080", "socks5"]);
    assert!(!left.stderr.contains("opensesame"));

    // One that nothing goes through is none of our business.
    let nobody = nobody();
    let output = agw(&["run", "hi", "--server", "https://lobe.example"])
        .env("http_proxy", &nobody)
        .env("https_proxy", &nobody)
        .env("all_proxy", "socks5://127.0.0.1:1080")
        .output();
    let left = Left::from(output.unwrap());
    left.complains(4, &[nobody.trim_start_matches("http://")]);

    let output = agw(&["run", "hi", "--server", "https://lobe.example"])
        .env("https_proxy", "ftp://ada:opensesame@proxy")
        .output();
    let left = Left::from(output.unwrap());
    left.complains(2, &["https_proxy"]);
    assert!(!left.stderr.contains("opensesame"));
}
