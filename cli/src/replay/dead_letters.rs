//! Messages from a dead-letter queue: put back first, deleted only then.

use std::collections::HashSet;

use aws_sdk_sqs::error::DisplayErrorContext;
use aws_sdk_sqs::types::Message;
use snapferry_core::event;

use super::{Replayed, Report};
use crate::queue;

/// How long a message is hidden from others while it is put back, in seconds.
const HIDDEN: i32 = 60;

/// Puts back what the copier can read.
///
/// A message that stays is made visible again at once: in a FIFO queue it would hide those behind it. The end is a batch with
/// nothing new in it.
pub(super) async fn replay(
    sqs: &aws_sdk_sqs::Client,
    from: &str,
    to: &str,
    max: usize,
    report: &mut Report,
) -> anyhow::Result<()> {
    let mut seen = HashSet::new();
    loop {
        let batch = sqs
            .receive_message()
            .queue_url(from)
            .max_number_of_messages(10)
            .visibility_timeout(HIDDEN)
            .wait_time_seconds(1)
            .send()
            .await
            .map_err(|error| {
                anyhow::anyhow!("the dead-letter queue {from} cannot be read: {}", DisplayErrorContext(&error))
            })?;
        let mut stay = Vec::new();
        let mut failed = None;
        let mut news = 0;
        for message in batch.messages() {
            let is_new = seen.insert(message.message_id().unwrap_or_default().to_owned());
            news += usize::from(is_new);
            if failed.is_some() || !is_new {
                stay.push(message);
                continue;
            }
            match one(sqs, message, from, to, report.replayed < max, report.dry_run).await {
                Ok(done) => {
                    if !done.replayed || report.dry_run {
                        stay.push(message);
                    }
                    report.say(&done)?;
                }
                Err(error) => {
                    stay.push(message);
                    failed = Some(error);
                }
            }
        }
        for message in stay {
            show(sqs, from, message).await?;
        }
        if let Some(error) = failed {
            return Err(error);
        }
        if news == 0 || report.replayed >= max {
            return Ok(());
        }
    }
}

async fn one(
    sqs: &aws_sdk_sqs::Client,
    message: &Message,
    from: &str,
    to: &str,
    may: bool,
    dry_run: bool,
) -> anyhow::Result<Replayed> {
    let id = message.message_id().unwrap_or_default().to_owned();
    let body = message.body().unwrap_or_default();
    let about = match event::parse(body) {
        Ok(event::Message::Share(share)) => share.snapshot.to_string(),
        Ok(event::Message::Sweep { id }) => format!("sweep {}", snapferry_core::text::printable(&id, 64)),
        Ok(event::Message::Other(other)) => {
            let problem = Some(format!("the copier would skip it ({}): {}", other.reason, other.problem));
            return Ok(Replayed { id, about: other.snapshot.map(|id| id.to_string()), replayed: false, problem });
        }
        Err(invalid) => {
            let problem = Some(format!("the copier cannot read it ({}): {}", invalid.reason, invalid.problem));
            return Ok(Replayed { id, about: None, replayed: false, problem });
        }
    };
    if !may {
        return Ok(Replayed { id, about: Some(about), replayed: false, problem: Some("--max is reached".to_owned()) });
    }
    if !dry_run {
        queue::send(sqs, to, body, &format!("replay-{id}")).await?;
        let deleted = sqs.delete_message().queue_url(from).receipt_handle(message.receipt_handle().unwrap_or_default());
        deleted.send().await.map_err(|error| {
            let text = DisplayErrorContext(&error).to_string();
            anyhow::anyhow!(
                "{id} is in the copier's queue and could not be deleted from {from}, where it stays too: {text}"
            )
        })?;
    }
    Ok(Replayed { id, about: Some(about), replayed: true, problem: None })
}

async fn show(sqs: &aws_sdk_sqs::Client, queue: &str, message: &Message) -> anyhow::Result<()> {
    let handle = message.receipt_handle().unwrap_or_default();
    let shown = sqs.change_message_visibility().queue_url(queue).receipt_handle(handle).visibility_timeout(0).send();
    shown.await.map(drop).map_err(|error| {
        anyhow::anyhow!("a message of {queue} stays hidden for {HIDDEN} s: {}", DisplayErrorContext(&error))
    })
}
