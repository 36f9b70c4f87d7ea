//! Two writers on one item, which see each other only in it and in EC2: whatever they do in whatever order, and wherever they
//! die, there is one copy.

use proptest::prelude::*;
use snapferry_core::copying::{Deferral, Outcome, step};
use snapferry_core::facts::{CallError, Copy};
use snapferry_core::ids::SnapshotId;
use snapferry_core::ledger::{By, HOLD, INTENT_GOOD_FOR, Obligation};

use crate::world::{Do, Wish, at, copy, id, owed, source, volume};

/// The ledger's item, and EC2's copies with the second from which they are to be seen.
#[derive(Default)]
struct Shared {
    item: Option<Obligation>,
    copies: Vec<(Copy, i64)>,
    /// When requests left that may have been carried out.
    requests: Vec<i64>,
}

impl Shared {
    /// Compare and swap.
    fn write(&mut self, obligation: &Obligation) -> bool {
        let is_next = match &self.item {
            None => obligation.revision == 0,
            Some(stored) => obligation.revision == stored.revision + 1,
        };
        if is_next {
            self.item = Some(obligation.clone());
        }
        is_next
    }

    fn seen(&self, now: i64) -> Vec<Copy> {
        self.copies.iter().filter(|(_, from)| *from <= now).map(|(copy, _)| copy.clone()).collect()
    }
}

/// What EC2 makes of a request.
#[derive(Debug, Clone, Copy)]
enum Answer {
    Names,
    /// Carried out, and the answer is lost.
    Silent,
    /// Not carried out, and the answer is lost.
    Nothing,
    Refuses,
    Full,
}

/// What happens to one writer at one of its steps.
#[derive(Debug, Clone)]
struct Event {
    second_writer: bool,
    /// How long after the event before.
    seconds: i64,
    /// Whether it dies instead.
    dies: bool,
    answer: Answer,
    /// How long EC2 hides the copy, if one is made.
    hidden: i64,
}

/// Where a writer is.
#[derive(Debug, Default)]
enum Writer {
    #[default]
    Idle,
    /// It has read, since this second.
    Read { began: i64, item: Option<Obligation>, copies: Vec<Copy> },
    /// Its intent stands.
    Intent { before: Obligation, asked: Obligation },
    /// It was answered.
    Answered { before: Obligation, asked: Obligation, outcome: Outcome },
}

fn outcome(shared: &mut Shared, answer: Answer, hidden: i64, now: i64) -> Outcome {
    let error = || CallError { code: "Code".to_owned(), message: "so it is".to_owned(), request_id: None };
    let name: SnapshotId = id(100 + u32::try_from(shared.copies.len()).unwrap());
    if matches!(answer, Answer::Names | Answer::Silent | Answer::Nothing) {
        shared.requests.push(now);
    }
    if matches!(answer, Answer::Names | Answer::Silent) {
        shared.copies.push((Copy { id: name.clone(), ..copy(0) }, now + hidden));
    }
    match answer {
        Answer::Names => Outcome::Started { copy: name, at: at(now) },
        Answer::Silent | Answer::Nothing => Outcome::Deferred(Deferral::AnswerLost(error())),
        Answer::Full => Outcome::Deferred(Deferral::RegionFull(error())),
        Answer::Refuses => {
            let reason = snapferry_core::audit::CopyFailed::CallRefused;
            Outcome::Failed { reason, remedy: "", error: error() }
        }
    }
}

/// One step of a writer, as the copier takes them.
fn next(writer: Writer, shared: &mut Shared, wish: &Wish, event: &Event, now: i64) -> Writer {
    match writer {
        _ if event.dies => Writer::Idle,
        Writer::Idle => Writer::Read { began: now, item: shared.item.clone(), copies: shared.seen(now) },
        Writer::Read { began, item, copies } => {
            let written = match wish.judge(&copies, item.as_ref(), at(began)) {
                Do::Ask => {
                    let new = || Obligation::new(owed().identity, &source(), volume(1), By::Event, at(now));
                    let before = item.clone().unwrap_or_else(new);
                    before.asked(at(now)).map(|asked| {
                        // The first writing is one write.
                        let revision = if item.is_some() { asked.revision } else { 0 };
                        (before, Obligation { revision, ..asked })
                    })
                }
                Do::Believe(copy) => {
                    if let Some(copying) = item.and_then(|item| item.copying(copy, at(now))) {
                        shared.write(&copying);
                    }
                    None
                }
                Do::Wait => None,
            };
            match written {
                Some((before, asked)) if shared.write(&asked) => Writer::Intent { before, asked },
                _ => Writer::Idle,
            }
        }
        Writer::Intent { before, asked } if asked.may_leave(at(now)) => {
            let outcome = outcome(shared, event.answer, event.hidden, now);
            Writer::Answered { before, asked, outcome }
        }
        Writer::Intent { before, asked } => match asked.renewed(at(now)) {
            Some(renewed) if shared.write(&renewed) => Writer::Intent { before, asked: renewed },
            _ => Writer::Idle,
        },
        Writer::Answered { before, asked, outcome } => {
            if let Some(after) = step(&before, &asked, &outcome, at(now)) {
                shared.write(&after);
            }
            Writer::Idle
        }
    }
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let seconds = prop_oneof![6 => 0i64..3, 2 => 3i64..60, 1 => 60i64..700];
    let answer = prop_oneof![
        Just(Answer::Names),
        Just(Answer::Silent),
        Just(Answer::Nothing),
        Just(Answer::Refuses),
        Just(Answer::Full)
    ];
    let hidden = prop_oneof![Just(0i64), 0i64..540, Just(540)];
    let event = (any::<bool>(), seconds, prop::bool::weighted(0.1), answer, hidden).prop_map(
        |(second_writer, seconds, dies, answer, hidden)| Event { second_writer, seconds, dies, answer, hidden },
    );
    prop::collection::vec(event, 1..120)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn there_is_one_copy_and_one_request_within_a_hold(events in events()) {
        let (wish, mut shared, mut now) = (Wish::new(), Shared::default(), 0);
        let mut writers = [Writer::default(), Writer::default()];
        for event in &events {
            now += event.seconds;
            let writer = &mut writers[usize::from(event.second_writer)];
            *writer = next(std::mem::take(writer), &mut shared, &wish, event, now);
        }
        prop_assert!(shared.copies.len() <= 1, "{} copies", shared.copies.len());
        let apart = HOLD.as_secs() - INTENT_GOOD_FOR.as_secs();
        prop_assert!(shared.requests.windows(2).all(|pair| pair[1] - pair[0] > apart), "{:?}", shared.requests);
        // Left alone, one writer brings it to an end.
        let mut writer = Writer::default();
        for _ in 0..4 * 200 {
            now += 15;
            let calm = Event { second_writer: false, seconds: 15, dies: false, answer: Answer::Names, hidden: 60 };
            writer = next(writer, &mut shared, &wish, &calm, now);
        }
        prop_assert_eq!(shared.copies.len(), 1);
        let item = shared.item.unwrap();
        prop_assert_eq!(item.copy(), Some(&shared.copies[0].0.id));
    }
}
