//! What stands between EventBridge and the copier: a FIFO queue with one message group and content-based deduplication.

use std::collections::{BTreeMap, VecDeque};

use crate::clock::{MINUTE, Ms};

/// As the template sets them: VisibilityTimeout, maxReceiveCount, BatchSize.
const VISIBILITY_TIMEOUT: Ms = 6 * MINUTE;
const RECEIVES: u32 = 20;
const BATCH: usize = 10;
/// SQS drops a message whose content it has seen within five minutes.
const DEDUPLICATION: Ms = 5 * MINUTE;

#[derive(Debug)]
struct Message {
    body: String,
    receives: u32,
}

/// The queue and what is on its way to it.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    deliveries: BTreeMap<(Ms, usize), String>,
    sent: usize,
    messages: VecDeque<Message>,
    known: BTreeMap<String, Ms>,
    /// The group waits for messages that were received and neither deleted nor visible again.
    blocked_until: Ms,
}

impl Queue {
    /// Puts `body` on its way; it comes at `at`.
    pub(crate) fn send(&mut self, at: Ms, body: String) {
        self.sent += 1;
        self.deliveries.insert((at, self.sent), body);
    }

    /// Takes in what has come by `now`.
    pub(crate) fn arrive(&mut self, now: Ms) {
        self.known.retain(|_, at| now < *at + DEDUPLICATION);
        let later = self.deliveries.split_off(&(now + 1, 0));
        for ((at, _), body) in std::mem::replace(&mut self.deliveries, later) {
            let is_new = self.known.get(&body).is_none_or(|known| at >= known + DEDUPLICATION);
            if is_new {
                self.known.insert(body.clone(), at);
                self.messages.push_back(Message { body, receives: 0 });
            }
        }
    }

    /// The next time that something can be received, if nothing else comes.
    pub(crate) fn next(&self) -> Option<Ms> {
        let delivery = self.deliveries.keys().next().map(|(at, _)| (*at).max(self.blocked_until));
        if self.messages.is_empty() { delivery } else { Some(self.blocked_until) }
    }

    /// The next batch, if there is one to be had. It has to be deleted, or it comes again.
    pub(crate) fn receive(&mut self, now: Ms) -> Option<Vec<String>> {
        if now < self.blocked_until {
            return None;
        }
        self.messages.retain(|message| message.receives < RECEIVES);
        let batch = self.messages.iter_mut().take(BATCH);
        let bodies: Vec<String> = batch.map(|message| (message.receives += 1, message.body.clone()).1).collect();
        if bodies.is_empty() {
            return None;
        }
        self.blocked_until = now + VISIBILITY_TIMEOUT;
        Some(bodies)
    }

    /// The invocation ended well: its messages are deleted, the next batch may come.
    pub(crate) fn delete(&mut self, count: usize, now: Ms) {
        self.messages.drain(..count);
        self.blocked_until = now;
    }

    /// The invocation ended, and its share messages come again when their time is over.
    pub(crate) fn give_back(&mut self, count: usize, now: Ms) {
        let batch: Vec<Message> = self.messages.drain(..count).collect();
        let kept: Vec<Message> = batch.into_iter().filter(|message| !is_tick(&message.body)).collect();
        if kept.is_empty() {
            self.blocked_until = now;
        }
        kept.into_iter().rev().for_each(|message| self.messages.push_front(message));
    }

    /// Whether nothing but ticks is left.
    pub(crate) fn is_drained(&self) -> bool {
        self.deliveries.values().chain(self.messages.iter().map(|message| &message.body)).all(|body| is_tick(body))
    }
}

/// The body of a tick of this kind: `sweep` or `serve`.
pub(crate) fn tick(kind: &str, number: Ms) -> String {
    format!("{{\"{kind}\":\"tick-{number}\"}}")
}

fn is_tick(body: &str) -> bool {
    body.starts_with("{\"sweep\"") || body.starts_with("{\"serve\"")
}
