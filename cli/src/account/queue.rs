//! The stack's queue: the one way to the one writer.

use anyhow::Context as _;
use aws_config::SdkConfig;
use snapferry_aws::errors::call_error;

use crate::account::connection::words;

/// The message group of everything in the copier's queue (`infra/sam/template.yaml`).
const GROUP: &str = "copier";
/// The stack's output that names the queue.
const OUTPUT: &str = "CopierQueueUrl";

/// Which queue.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Queue {
    /// The name of the deployed stack
    #[arg(long, value_name = "NAME", default_value = "snapferry")]
    stack: String,
    /// The URL of the copier's queue, instead of asking the stack for it
    #[arg(long, value_name = "URL")]
    queue: Option<String>,
}

impl Queue {
    /// The queue's URL, from the stack's output if it is not given.
    ///
    /// # Errors
    /// When CloudFormation knows no such stack, or it has no such output.
    pub(crate) async fn url(&self, config: &SdkConfig) -> anyhow::Result<String> {
        if let Some(url) = &self.queue {
            return Ok(url.clone());
        }
        let stack = &self.stack;
        let stacks = aws_sdk_cloudformation::Client::new(config).describe_stacks().stack_name(stack).send().await;
        let stacks = stacks.map_err(|error| {
            let words = words(&call_error(&error));
            anyhow::anyhow!("the stack {stack} cannot be read: {words}; --stack names it, --queue names its queue")
        })?;
        let mut outputs = stacks.stacks().iter().flat_map(aws_sdk_cloudformation::types::Stack::outputs);
        let named = outputs.find(|output| output.output_key() == Some(OUTPUT));
        let url = named.and_then(|output| output.output_value());
        let url = url.with_context(|| format!("the stack {stack} has no output {OUTPUT}; --queue names the queue"))?;
        Ok(url.to_owned())
    }
}

/// Puts one message into the queue. `id` is what SQS drops repetitions by, for five minutes.
///
/// # Errors
/// When SQS did not say that it has the message.
pub(crate) async fn send(sqs: &aws_sdk_sqs::Client, url: &str, body: &str, id: &str) -> anyhow::Result<()> {
    let sent = sqs
        .send_message()
        .queue_url(url)
        .message_group_id(GROUP)
        .message_deduplication_id(id)
        .message_body(body)
        .send()
        .await;
    sent.map(drop)
        .map_err(|error| anyhow::anyhow!("the queue {url} did not take the message: {}", words(&call_error(&error))))
}

/// Whether two URLs name the same queue of one Region: by account and name, because a queue has several host names.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    let place = |url: &str| {
        let mut parts = url.trim_end_matches('/').rsplit('/').map(str::to_owned);
        (parts.next(), parts.next())
    };
    place(one) == place(other)
}

/// The body of a message that makes the copier look at a snapshot: a share event, which is all that it acts on.
pub(crate) fn share(snapshot: &str, id: &str) -> String {
    serde_json::json!({
        "id": id,
        "source": "aws.ec2",
        "detail-type": "EBS Snapshot Notification",
        "detail": {"event": "shareSnapshot", "result": "succeeded", "snapshot_id": snapshot},
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use snapferry_core::event::{Message, parse};

    #[test]
    fn one_queue_by_several_names() {
        let url = "https://sqs.us-east-1.amazonaws.com/222222222222/snapferry-CopierQueue.fifo";
        assert!(super::is_same(url, "https://queue.amazonaws.com/222222222222/snapferry-CopierQueue.fifo/"));
        assert!(!super::is_same(url, "https://sqs.us-east-1.amazonaws.com/333333333333/snapferry-CopierQueue.fifo"));
        assert!(!super::is_same(url, "https://sqs.us-east-1.amazonaws.com/222222222222/snapferry-CopierDead.fifo"));
    }

    #[test]
    fn the_copier_reads_what_is_sent() {
        let body = super::share("snap-01234567", "manual-1");
        let Ok(Message::Share(share)) = parse(&body) else { panic!("{body}") };
        assert_eq!((share.snapshot.as_str(), share.id.as_str()), ("snap-01234567", "manual-1"));
    }
}
