//! No secret, no session token and no presigned URL is ever logged, at whatever level: the real seam and the real HTTP
//! client against a server that answers as EC2 does, or breaks off.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use common::{policies, region, source};
use snapferry_aws::clients::Clients;
use snapferry_aws::copying::{Ask, execute, gather};
use snapferry_aws::deadline::Deadline;
use snapferry_aws::keys::KeyCache;
use snapferry_aws::logging;
use snapferry_core::audit::Record;
use snapferry_core::copying::{CopyRequest, Decision, Scope, Subject, Verdict, record};
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

const SECRET: &str = "SecretAccessKeyThatNobodyMayRead";
const TOKEN: &str = "SessionTokenThatNobodyMayRead";
/// What none of the logs may hold; the last is in every presigned URL.
const FORBIDDEN: [&str; 4] = [SECRET, TOKEN, "X-Amz-Signature", "X-Amz-Security-Token"];

/// A log in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

/// Answers each request with the same status and body; with status 0 it breaks off. What it was sent goes to `sent`.
fn server(status: u16, body: &'static str, sent: Log) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let sent = sent.clone();
            thread::spawn(move || answer(stream.unwrap(), status, body, sent));
        }
    });
    address
}

fn answer(mut stream: TcpStream, status: u16, body: &str, mut sent: Log) {
    let mut bytes = [0; 65_536];
    while let Ok(count @ 1..) = stream.read(&mut bytes) {
        sent.write_all(&bytes[..count]).unwrap();
        if status == 0 {
            return;
        }
        let answer = format!(
            "HTTP/1.1 {status} Any\r\nContent-Type: text/xml\r\nx-amzn-requestid: r-1\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

fn clients(endpoint: &str) -> Clients {
    let credentials = Credentials::new("AKIDEXAMPLE", SECRET, Some(TOKEN.to_owned()), None, "test");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(endpoint)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    Clients::new(config, region("us-east-1"), [region("eu-west-1")])
}

/// Reads and asks for a copy, and gives the audit's lines.
async fn run(clients: &Clients) -> Vec<String> {
    let policies = policies(&["eu-west-1"]);
    let deadline = Deadline::after(Duration::from_secs(60));
    let ask = Ask {
        policies: &policies,
        account: None,
        scope: Scope::Sweep { since: None },
        named: Vec::new(),
        noticed: Default::default(),
    };
    gather(clients, &KeyCache::default(), deadline, ask).await;
    let (home, source, target) = (region("us-east-1"), source(1), &policies[0].targets[0]);
    let request = CopyRequest {
        policy: &policies[0].name,
        filter: &policies[0].description,
        source: &source,
        home: &home,
        target,
    };
    let decision = Decision {
        policy: Some(&policies[0].name),
        subject: Subject::Seen(&source),
        region: Some(&target.region),
        verdict: Verdict::Copy(request),
        stands: None,
    };
    let records: Mutex<Vec<Record>> = Mutex::default();
    execute(clients, &[decision], deadline, |decision, outcome| {
        records.lock().unwrap().push(record(decision, &outcome, &home, jiff::Timestamp::now()));
    })
    .await;
    records.into_inner().unwrap().iter().map(Record::to_line).collect()
}

/// Runs against a server with this answer, under a subscriber; gives what was sent and the audit's lines.
fn logged(status: u16, body: &'static str, subscriber: impl Subscriber + Send + Sync) -> (String, Vec<String>) {
    let sent = Log::default();
    let clients = clients(&server(status, body, sent.clone()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let lines = tracing::subscriber::with_default(subscriber, || runtime.block_on(run(&clients)));
    (sent.text(), lines)
}

fn forbidden_in(text: &str) -> Vec<&'static str> {
    FORBIDDEN.into_iter().filter(|word| text.contains(word)).collect()
}

const STARTED: &str = "<CopySnapshotResponse><snapshotId>snap-0123456789abcdef0</snapshotId></CopySnapshotResponse>";
const REFUSED: &str =
    "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>No.</Message></Error></Errors></Response>";

#[test]
fn nothing_secret_is_logged_at_any_level() {
    for (what, status, body, told) in [
        ("started", 200, STARTED, "copy.started"),
        ("refused", 403, REFUSED, "copy.failed"),
        ("no XML", 200, "<<<", "copy.deferred"),
        ("out of order", 503, "", "copy.deferred"),
        ("broken off", 0, "", "copy.deferred"),
    ] {
        for level in ["trace", "info"] {
            let log = Log::default();
            let (sent, lines) = logged(status, body, logging::subscriber(level, log.clone()));
            // Both were sent, so both were there to be logged.
            assert!(sent.contains(TOKEN) && sent.contains("X-Amz-Signature"), "{what}: {sent}");
            assert_eq!(forbidden_in(&log.text()), Vec::<&str>::new(), "{what} at {level}: {}", log.text());
            assert!(lines.concat().contains(told), "{what}: {lines:?}");
            assert_eq!(forbidden_in(&lines.concat()), Vec::<&str>::new(), "{what}: {lines:?}");
        }
    }
}

#[test]
fn a_logger_that_lets_everything_through_would_be_found() {
    let log = Log::default();
    let everything = tracing_subscriber::fmt().with_max_level(LevelFilter::TRACE).with_writer(log.clone()).finish();
    logged(200, STARTED, everything);
    assert_eq!(forbidden_in(&log.text()), [TOKEN, "X-Amz-Signature", "X-Amz-Security-Token"]);
}
