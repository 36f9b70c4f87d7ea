//! Messages from a dead-letter queue: put back first, deleted only then.

use std::collections::{HashMap, HashSet};

use aws_sdk_sqs::types::{Message, QueueAttributeName};
use snapferry_aws::errors::call_error;
use snapferry_core::event;
use snapferry_core::text::printable;

use super::report::{ReplayReport, Replayed, note};
use crate::account::connection::words;
use crate::account::queue;

/// How long a message is hidden from others while it is put back, in seconds.
const HIDDEN: i32 = 60;

/// A dead-letter queue, and where its messages go.
pub(super) struct Letters<'q> {
    sqs: &'q aws_sdk_sqs::Client,
    from: &'q str,
    to: &'q str,
    /// Whether what the copier cannot read goes back as well.
    all: bool,
    /// The IDs of the messages that were looked at.
    seen: HashSet<String>,
    /// What stays and is hidden until the end, for the queue to give what is behind it: receipt handles by ID.
    hidden: HashMap<String, String>,
}

impl<'q> Letters<'q> {
    pub(super) fn new(sqs: &'q aws_sdk_sqs::Client, from: &'q str, to: &'q str, all: bool) -> Self {
        Self { sqs, from, to, all, seen: HashSet::new(), hidden: HashMap::new() }
    }

    /// Puts back what the copier can read.
    ///
    /// A FIFO queue gives nothing more of a message group while some of it is hidden. So when nothing new comes, what stays is
    /// shown, and then the next ten come with it among them. The end is when that brings nothing new either.
    pub(super) async fn replay(mut self, max: usize, report: &mut ReplayReport) -> anyhow::Result<()> {
        let mut is_shown = false;
        let done = loop {
            match self.batch(max, report).await {
                Err(error) => break Err(error),
                Ok(_) if report.replayed >= max => break Ok(()),
                Ok(0) if is_shown || self.hidden.is_empty() => break Ok(()),
                Ok(0) => {
                    if let Err(error) = self.show().await {
                        break Err(error);
                    }
                    is_shown = true;
                }
                Ok(_) => is_shown = false,
            }
        };
        let shown = self.show().await;
        if done.is_ok() && report.replayed < max {
            self.count(report).await;
        }
        done.and(shown)
    }

    /// Receives some messages, and says how many of them are new.
    async fn batch(&mut self, max: usize, report: &mut ReplayReport) -> anyhow::Result<usize> {
        let receive = self.sqs.receive_message().queue_url(self.from).max_number_of_messages(10);
        let batch = receive.visibility_timeout(HIDDEN).wait_time_seconds(1).send().await.map_err(|error| {
            anyhow::anyhow!("the dead-letter queue {} cannot be read: {}", self.from, words(&call_error(&error)))
        })?;
        let mut failed = None;
        let mut news = 0;
        for message in batch.messages() {
            let id = message.message_id().unwrap_or_default();
            let handle = message.receipt_handle().unwrap_or_default();
            self.hidden.insert(id.to_owned(), handle.to_owned());
            if failed.is_some() || !self.seen.insert(id.to_owned()) {
                continue;
            }
            news += 1;
            match self.one(message, report.replayed < max, report.dry_run).await {
                Ok(done) => {
                    if done.replayed && !report.dry_run {
                        self.hidden.remove(id);
                    }
                    report.say(&done);
                }
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(news), Err)
    }

    async fn one(&self, message: &Message, may: bool, dry_run: bool) -> anyhow::Result<Replayed> {
        let id = message.message_id().unwrap_or_default().to_owned();
        let body = message.body().unwrap_or_default();
        let left = |about, problem| Ok(Replayed { id: id.clone(), about, replayed: false, problem: Some(problem) });
        let about = match event::parse(body) {
            Ok(event::Message::Share(share)) => share.snapshot.to_string(),
            Ok(event::Message::Copy(ended)) => format!("end of the copy {}", ended.copy),
            Ok(event::Message::Sweep { id }) => format!("sweep {}", printable(&id, 64)),
            Ok(event::Message::Serve { id }) => format!("serve {}", printable(&id, 64)),
            Ok(event::Message::Other(other)) if self.all => other.problem,
            Err(invalid) if self.all => invalid.problem,
            Ok(event::Message::Other(other)) => {
                let problem = format!("the copier would skip it ({}): {}", other.reason, other.problem);
                return left(other.snapshot.map(|id| id.to_string()), problem);
            }
            Err(invalid) => {
                return left(None, format!("the copier cannot read it ({}): {}", invalid.reason, invalid.problem));
            }
        };
        if !may {
            return left(Some(about), "--max is reached".to_owned());
        }
        if !dry_run {
            queue::send(self.sqs, self.to, body, &format!("replay-{id}")).await?;
            let handle = message.receipt_handle().unwrap_or_default();
            let deleted = self.sqs.delete_message().queue_url(self.from).receipt_handle(handle).send().await;
            deleted.map_err(|error| {
                let (from, words) = (self.from, words(&call_error(&error)));
                anyhow::anyhow!(
                    "{id} is in the copier's queue and could not be deleted from {from}, where it stays too: {words}"
                )
            })?;
        }
        Ok(Replayed { id, about: Some(about), replayed: true, problem: None })
    }

    /// Shows all that is hidden to others again.
    ///
    /// # Errors
    /// Those of the first message that stays hidden.
    async fn show(&mut self) -> anyhow::Result<()> {
        let mut failed = None;
        for handle in std::mem::take(&mut self.hidden).into_values() {
            let change = self.sqs.change_message_visibility().queue_url(self.from).receipt_handle(handle);
            let Err(error) = change.visibility_timeout(0).send().await else { continue };
            // Its time was over, so it is to be seen already.
            if error.as_service_error().is_some_and(|error| error.is_message_not_inflight()) {
                continue;
            }
            let (from, words) = (self.from, words(&call_error(&error)));
            failed.get_or_insert(anyhow::anyhow!("messages of {from} stay hidden for {HIDDEN} s: {words}"));
        }
        failed.map_or(Ok(()), Err)
    }

    /// How many messages are behind those that stay, by the queue's own, approximate count.
    async fn count(&self, report: &mut ReplayReport) {
        let gone = if report.dry_run { 0 } else { report.replayed };
        let stay = self.seen.len().saturating_sub(gone);
        if stay == 0 {
            return;
        }
        let all = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        ];
        let asked = self.sqs.get_queue_attributes().queue_url(self.from).set_attribute_names(Some(all.to_vec()));
        match asked.send().await {
            Ok(answer) => {
                let counts = answer.attributes.unwrap_or_default();
                let sum: usize = counts.values().filter_map(|count| count.parse::<usize>().ok()).sum();
                report.not_looked_at = sum.saturating_sub(stay);
            }
            Err(error) => {
                note(&format!("whether there are more behind these is not known: {}", words(&call_error(&error))));
            }
        }
    }
}

#[cfg(test)]
mod tests;
