//! EC2 and KMS for the benchmark: answers at once or after a given latency, and counts the calls.
//!
//! It prints its address and serves until its standard input closes. `POST /bench` with `{"latency": seconds}` sets
//! the latency, forgets the counts and answers with what they were. A thread for each connection and nothing between
//! the socket and the answer, because what it takes is measured along with the function that waits for it.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};

const SOURCE: &str = "111111111111";
const TARGET: &str = "222222222222";
const HOME: &str = "us-east-1";
const KEY: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";
/// So many at the same time; more wait. Each has its thread before it comes.
const CONNECTIONS: usize = 64;
const XML: &str = r#"xmlns="http://ec2.amazonaws.com/doc/2016-11-15/""#;

/// What every connection shares.
#[derive(Default)]
struct Shared {
    latency: Duration,
    calls: BTreeMap<String, u64>,
}

struct Request {
    line: String,
    /// The header lines, in lower case.
    headers: String,
    body: String,
}

struct Answer {
    status: u16,
    body: String,
    latency: Duration,
}

fn main() -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("http://{}", listener.local_addr()?);
    let shared = Arc::new((listener, Mutex::new(Shared::default())));
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
fn serve(connection: &TcpStream, shared: &Mutex<Shared>) -> anyhow::Result<()> {
    connection.set_nodelay(true)?;
    let mut reader = BufReader::new(connection);
    while let Some(request) = read(&mut reader)? {
        let answer = answer(&request, shared)?;
        if !answer.latency.is_zero() {
            std::thread::sleep(answer.latency);
        }
        let (status, length, body) = (answer.status, answer.body.len(), answer.body);
        let whole = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n\r\n{body}");
        (&mut &*connection).write_all(whole.as_bytes())?;
    }
    Ok(())
}

fn read(reader: &mut BufReader<&TcpStream>) -> anyhow::Result<Option<Request>> {
    let (mut line, mut headers, mut length) = (String::new(), String::new(), 0);
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        header.make_ascii_lowercase();
        if header.trim_end().is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse()?;
        }
        headers.push_str(&header);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some(Request { line, headers, body: String::from_utf8(body)? }))
}

fn answer(request: &Request, shared: &Mutex<Shared>) -> anyhow::Result<Answer> {
    let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
    if request.line.starts_with("POST /bench ") {
        let wanted: Value = serde_json::from_str(&request.body)?;
        let latency = wanted.get("latency").and_then(Value::as_f64).context("latency: a number of seconds")?;
        let before = std::mem::replace(
            &mut *shared,
            Shared { latency: Duration::try_from_secs_f64(latency)?, calls: BTreeMap::new() },
        );
        return Ok(Answer { status: 200, body: json!(before.calls).to_string(), latency: Duration::ZERO });
    }
    let region = region(&request.headers);
    let (action, made) = if request.headers.contains("trentservice.describekey") {
        ("kms:DescribeKey".to_owned(), Some(key(region)))
    } else {
        let action = form(&request.body).find(|(name, _)| *name == "Action").map_or("", |(_, value)| value);
        let number = shared.calls.get("ec2:CopySnapshot").map_or(1, |count| count + 1);
        (format!("ec2:{action}"), ec2(action, region, &request.body, number))
    };
    *shared.calls.entry(action).or_default() += 1;
    let status = if made.is_some() { 200 } else { 400 };
    let body =
        made.unwrap_or_else(|| "<Response><Errors><Error><Code>Unexpected</Code></Error></Errors></Response>".into());
    Ok(Answer { status, body, latency: shared.latency })
}

/// The Region that the request is signed for.
fn region(headers: &str) -> &str {
    let scope = headers.split_once("credential=").map_or("", |(_, scope)| scope);
    scope.split('/').nth(2).unwrap_or(HOME)
}

/// The form's members; nothing that is looked at here needs decoding.
fn form(body: &str) -> impl Iterator<Item = (&str, &str)> {
    body.split('&').filter_map(|member| member.split_once('='))
}

/// What EC2 says; `number` is the copy's.
fn ec2(action: &str, region: &str, body: &str, number: u64) -> Option<String> {
    match action {
        "DescribeSnapshots" => {
            // Whoever asks for shared snapshots names them by their IDs or in a filter of this name; of the copies in
            // the other Regions there are none yet.
            let shared = region == HOME && form(body).any(|(_, value)| value == "snapshot-id");
            let named = form(body)
                .filter(|(name, value)| value.starts_with("snap-") && (shared || name.starts_with("SnapshotId.")));
            let items: String = named.map(|(_, id)| described(id)).collect();
            Some(format!(
                "<DescribeSnapshotsResponse {XML}><snapshotSet>{items}</snapshotSet></DescribeSnapshotsResponse>"
            ))
        }
        "CopySnapshot" => Some(format!(
            "<CopySnapshotResponse {XML}><snapshotId>snap-f{number:016x}</snapshotId></CopySnapshotResponse>"
        )),
        _ => None,
    }
}

/// One shared snapshot as DescribeSnapshots shows it.
fn described(id: &str) -> String {
    let volume = id.replacen("snap-", "vol-", 1);
    format!(
        "<item><snapshotId>{id}</snapshotId><volumeId>{volume}</volumeId><status>completed</status>\
         <startTime>2026-11-01T03:00:00.000Z</startTime><progress>100%</progress><ownerId>{SOURCE}</ownerId>\
         <volumeSize>8</volumeSize><description>Created for policy: policy-0</description><encrypted>true</encrypted>\
         <storageTier>standard</storageTier></item>"
    )
}

/// The only key of a Region as DescribeKey shows it.
fn key(region: &str) -> String {
    let arn = format!("arn:aws:kms:{region}:{TARGET}:key/{KEY}");
    json!({"KeyMetadata": {
        "KeyId": KEY, "Arn": arn, "AWSAccountId": TARGET, "Enabled": true, "KeyState": "Enabled", "KeyManager": "CUSTOMER",
        "KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT", "MultiRegion": false
    }})
    .to_string()
}
