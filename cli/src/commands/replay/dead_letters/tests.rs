//! Against a queue that is a list.

use std::cell::RefCell;
use std::io::{ErrorKind, Write};
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use aws_config::BehaviorVersion;
use aws_credential_types::Credentials;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::operation::change_message_visibility::ChangeMessageVisibilityOutput;
use aws_sdk_sqs::operation::delete_message::DeleteMessageOutput;
use aws_sdk_sqs::operation::get_queue_attributes::GetQueueAttributesOutput;
use aws_sdk_sqs::operation::receive_message::ReceiveMessageOutput;
use aws_sdk_sqs::operation::send_message::{SendMessageError, SendMessageOutput};
use aws_sdk_sqs::types::error::QueueDoesNotExist;
use aws_smithy_mocks::{MockResponseInterceptor, Rule, RuleMode, create_mock_http_client, mock};

use super::*;
use crate::terminal::exit::Exit;

/// The dead-letter queue, and what the copier's queue was given.
#[derive(Debug, Default)]
struct Queues {
    /// A FIFO queue gives nothing of a message group while some of it is hidden; all these are in one group.
    is_fifo: bool,
    letters: Vec<Letter>,
    sent: Vec<String>,
}

#[derive(Debug, Clone)]
struct Letter {
    id: String,
    body: String,
    is_hidden: bool,
}

impl Queues {
    fn new(is_fifo: bool, bodies: impl IntoIterator<Item = String>) -> Arc<Mutex<Self>> {
        let letter = |(number, body)| Letter { id: format!("m{number}"), body, is_hidden: false };
        let letters = bodies.into_iter().enumerate().map(letter).collect();
        Arc::new(Mutex::new(Self { is_fifo, letters, sent: Vec::new() }))
    }

    fn receive(&mut self) -> ReceiveMessageOutput {
        let is_closed = self.is_fifo && self.letters.iter().any(|letter| letter.is_hidden);
        let free = self.letters.iter_mut().filter(|letter| !letter.is_hidden && !is_closed).take(10);
        let messages = free.map(|letter| {
            letter.is_hidden = true;
            Message::builder().message_id(&letter.id).receipt_handle(&letter.id).body(&letter.body).build()
        });
        ReceiveMessageOutput::builder().set_messages(Some(messages.collect())).build()
    }

    fn hidden(&self) -> usize {
        self.letters.iter().filter(|letter| letter.is_hidden).count()
    }
}

/// A client of these queues, whose copier's queue takes so many messages and no more.
fn client(queues: &Arc<Mutex<Queues>>, takes: usize) -> Client {
    let state = || Arc::clone(queues);
    let (receiving, deleting, showing, counting) = (state(), state(), state(), state());
    let receive = mock!(Client::receive_message).then_compute_output(move |_| receiving.lock().unwrap().receive());
    let delete = mock!(Client::delete_message).then_compute_output(move |request| {
        deleting.lock().unwrap().letters.retain(|letter| Some(letter.id.as_str()) != request.receipt_handle());
        DeleteMessageOutput::builder().build()
    });
    let show = mock!(Client::change_message_visibility).then_compute_output(move |request| {
        let letters = &mut showing.lock().unwrap().letters;
        let shown = letters.iter_mut().find(|letter| Some(letter.id.as_str()) == request.receipt_handle());
        shown.unwrap().is_hidden = false;
        ChangeMessageVisibilityOutput::builder().build()
    });
    let count = mock!(Client::get_queue_attributes).then_compute_output(move |_| {
        let queues = counting.lock().unwrap();
        let (all, hidden) = (queues.letters.len(), queues.hidden());
        GetQueueAttributesOutput::builder()
            .attributes(QueueAttributeName::ApproximateNumberOfMessages, (all - hidden).to_string())
            .attributes(QueueAttributeName::ApproximateNumberOfMessagesNotVisible, hidden.to_string())
            .build()
    });
    let (full, sending) = (state(), state());
    let refuse = mock!(Client::send_message)
        .match_requests(move |_| full.lock().unwrap().sent.len() >= takes)
        .then_error(|| SendMessageError::QueueDoesNotExist(QueueDoesNotExist::builder().build()));
    let send = mock!(Client::send_message).then_compute_output(move |request| {
        sending.lock().unwrap().sent.push(request.message_body().unwrap().to_owned());
        SendMessageOutput::builder().build()
    });
    let rules: [&Rule; 6] = [&receive, &delete, &show, &count, &refuse, &send];
    let any = MockResponseInterceptor::new().rule_mode(RuleMode::MatchAny);
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(aws_config::Region::new("us-east-1"))
        .credentials_provider(Credentials::new("AKIDEXAMPLE", "secret", None, None, "test"))
        .retry_config(RetryConfig::disabled())
        .http_client(create_mock_http_client())
        .interceptor(rules.iter().fold(any, |mock, rule| mock.with_rule(rule)))
        .build();
    Client::from_conf(config)
}

/// Standard output: what was printed, or a reader who has gone.
#[derive(Debug, Default, Clone)]
struct Output(Option<Rc<RefCell<Vec<u8>>>>);

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let Some(printed) = &self.0 else { return Err(ErrorKind::BrokenPipe.into()) };
        printed.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Replays, and gives how that ended with the lines that were printed.
async fn replay(
    queues: &Arc<Mutex<Queues>>,
    takes: usize,
    max: usize,
    dry_run: bool,
) -> (anyhow::Result<Exit>, String) {
    let printed = Rc::new(RefCell::new(Vec::new()));
    let output = Output(Some(Rc::clone(&printed)));
    let mut report = ReplayReport::new(Box::new(output), true, dry_run);
    let client = client(queues, takes);
    let done = Letters::new(&client, "dead", "copier", false).replay(max, &mut report).await;
    let exit = report.end();
    (done.and(exit), String::from_utf8(printed.take()).unwrap())
}

fn rubbish(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|number| format!("rubbish {number}"))
}

fn shares(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|number| queue::share(&format!("snap-{number:08x}"), "e"))
}

fn summary(printed: &str) -> serde_json::Value {
    serde_json::from_str(printed.lines().next_back().unwrap()).unwrap()
}

fn counts(replayed: usize, left: usize, not_looked_at: usize) -> serde_json::Value {
    serde_json::json!({"summary": {"replayed": replayed, "left": left, "notLookedAt": not_looked_at}})
}

#[tokio::test]
async fn what_stays_hides_nothing_behind_it() {
    // In a FIFO queue as long as fewer than ten stay, in another one always.
    for (is_fifo, stay) in [(false, 12), (true, 9), (false, 0), (true, 0)] {
        let queues = Queues::new(is_fifo, rubbish(stay).chain(shares(35)));
        let (done, printed) = replay(&queues, 100, 100, false).await;
        assert_eq!(done.unwrap(), if stay == 0 { Exit::Fine } else { Exit::Findings });
        assert_eq!(summary(&printed), counts(35, stay, 0), "{is_fifo}");
        let queues = queues.lock().unwrap();
        assert_eq!((queues.sent.len(), queues.letters.len(), queues.hidden()), (35, stay, 0));
    }
}

#[tokio::test]
async fn what_cannot_be_reached_is_counted() {
    let queues = Queues::new(true, rubbish(12).chain(shares(15)));
    let (done, printed) = replay(&queues, 100, 100, false).await;
    assert_eq!(done.unwrap(), Exit::Findings);
    assert_eq!(summary(&printed), counts(0, 10, 17));
    assert_eq!(queues.lock().unwrap().hidden(), 0);
}

#[tokio::test]
async fn everything_leaves_nothing_behind() {
    let queues = Queues::new(true, rubbish(12).chain(shares(15)));
    let mut report = ReplayReport::new(Box::new(Output::default()), true, false);
    let client = client(&queues, 100);
    Letters::new(&client, "dead", "copier", true).replay(100, &mut report).await.unwrap();
    assert_eq!(report.end().unwrap(), Exit::Fine);
    let queues = queues.lock().unwrap();
    assert_eq!((queues.sent.len(), queues.letters.len()), (27, 0));
    assert_eq!(queues.sent[0], "rubbish 0");
}

#[tokio::test]
async fn a_dry_run_changes_nothing() {
    for (is_fifo, exit, looked_at) in [(false, Exit::Fine, 25), (true, Exit::Findings, 10)] {
        let queues = Queues::new(is_fifo, shares(25));
        let (done, printed) = replay(&queues, 0, 100, true).await;
        assert_eq!((done.unwrap(), printed.lines().count()), (exit, looked_at + 1), "{printed}");
        let queues = queues.lock().unwrap();
        assert_eq!((queues.sent.len(), queues.letters.len(), queues.hidden()), (0, 25, 0));
    }
}

#[tokio::test]
async fn no_more_than_asked_for() {
    let queues = Queues::new(true, shares(25));
    let (done, _) = replay(&queues, 100, 3, false).await;
    assert_eq!(done.unwrap(), Exit::Findings);
    let queues = queues.lock().unwrap();
    assert_eq!((queues.sent.len(), queues.letters.len(), queues.hidden()), (3, 22, 0));
}

#[tokio::test]
async fn what_the_copiers_queue_refuses_stays_and_is_seen() {
    let queues = Queues::new(true, rubbish(2).chain(shares(6)));
    let (done, printed) = replay(&queues, 4, 100, false).await;
    let error = format!("{:#}", done.unwrap_err());
    assert!(error.contains("copier did not take the message"), "{error}");
    assert_eq!(summary(&printed), counts(4, 2, 0));
    let queues = queues.lock().unwrap();
    assert_eq!((queues.sent.len(), queues.letters.len(), queues.hidden()), (4, 4, 0));
}

#[tokio::test]
async fn a_reader_who_has_gone_stops_nothing() {
    let queues = Queues::new(false, rubbish(3).chain(shares(22)));
    let mut report = ReplayReport::new(Box::new(Output(None)), false, false);
    let client = client(&queues, 100);
    Letters::new(&client, "dead", "copier", false).replay(100, &mut report).await.unwrap();
    assert_eq!(report.end().unwrap(), Exit::Findings);
    let queues = queues.lock().unwrap();
    assert_eq!((queues.sent.len(), queues.letters.len(), queues.hidden()), (22, 3, 0));
}
