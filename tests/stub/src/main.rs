//! AWS for the scale tests and the benchmark: a world of any size from memory, which answers at once or after given times and
//! counts what it is asked for.
//!
//! It prints its address and serves until its standard input closes. A thread for each connection and nothing between the
//! socket and the answer, because what it takes is measured along with the function that waits for it. `/stub/…` is for the
//! test itself: see [`control`]. What it does not know it refuses, and remembers for the test to fail.

mod blocks;
mod control;
mod copies;
mod describe;
mod dynamodb;
mod form;
mod http;
mod numbers;
mod shared;
mod snapshots;
mod table;
mod world;

use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{Answer, Request};
use shared::Shared;

/// So many at the same time; more wait. Each has its thread before it comes.
///
/// The copier writes a hundred items at once, and its pool keeps open what it opened: some more than that. The test's own
/// questions have to come through beside them.
const CONNECTIONS: usize = 512;

fn main() -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("http://{}", listener.local_addr()?);
    let shared = Arc::new((listener, Shared::default()));
    for _ in 0..CONNECTIONS {
        let shared = Arc::clone(&shared);
        std::thread::spawn(move || {
            let (listener, shared) = &*shared;
            for connection in listener.incoming().flatten() {
                // A client that goes away in the middle ends its connection and nothing else.
                drop(serve(&connection, shared));
            }
        });
    }
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink())?;
    Ok(())
}

/// Answers request after request until the client closes.
fn serve(connection: &TcpStream, shared: &Shared) -> anyhow::Result<()> {
    connection.set_nodelay(true)?;
    let mut reader = http::reader(connection);
    while let Some(request) = http::read(&mut reader)? {
        let came = Instant::now();
        let (answer, time) = answer(&request, shared);
        // What the stub needed itself is part of the time that was asked for.
        if let Some(rest) = time.checked_sub(came.elapsed()) {
            std::thread::sleep(rest);
        }
        http::write(connection, &answer)?;
    }
    Ok(())
}

/// The answer, and how long it is to take.
fn answer(request: &Request, shared: &Shared) -> (Answer, Duration) {
    if let Some(what) = request.path.strip_prefix("/stub/") {
        return (control::answer(what, &request.body, shared), Duration::ZERO);
    }
    let (service, operation) = operation(request);
    let region = request.region();
    shared.count(service, &operation, region, 1);
    let done = match (service, operation.as_str()) {
        ("dynamodb", operation) => dynamodb::answer(operation, &request.body, shared),
        ("kms", "DescribeKey") => Some((Answer::ok(snapshots::key(region)), shared.world().call_seconds)),
        ("sts", "GetCallerIdentity") => Some((Answer::ok(snapshots::caller()), shared.world().call_seconds)),
        ("ec2", "DescribeSnapshots") => describe::answer(&request.body, region, shared),
        ("ebs", _) => blocks::answer(&request.path, &shared.world()),
        // What tags say stays as the world has it.
        ("ec2", "CreateTags") => Some((Answer::ok(snapshots::tagged()), shared.world().call_seconds)),
        ("ec2", "CopySnapshot") => copies::answer(&request.body, region, shared),
        _ => None,
    };
    let (answer, seconds) = done.unwrap_or_else(|| {
        shared.unexpected(format!("{service}:{operation} in {region}: {} {}", request.path, request.body));
        (Answer::refused("Unexpected", "the stub does not know this request"), 0.0)
    });
    (answer, Duration::try_from_secs_f64(seconds).unwrap_or_default())
}

/// The service and the operation: JSON services name it in a header, EC2 and STS in the form, EBS in the path.
fn operation(request: &Request) -> (&'static str, String) {
    if request.service() == "ebs" {
        return ("ebs", blocks::operation(&request.path));
    }
    match request.header("x-amz-target").and_then(|target| target.split_once('.')) {
        Some((service, operation)) if service.starts_with("DynamoDB") => ("dynamodb", operation.to_owned()),
        Some((_, operation)) => ("kms", operation.to_owned()),
        None => {
            let action = form::value(&request.body, "Action").unwrap_or_default();
            (if action == "GetCallerIdentity" { "sts" } else { "ec2" }, action)
        }
    }
}
