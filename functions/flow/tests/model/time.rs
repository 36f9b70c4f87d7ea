//! Virtual time and what runs in it: futures that wait for nothing but time, each a process that may be dropped at any moment.
//! Nothing here sleeps.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use crate::clock::Ms;

/// The time, and who waits for it.
#[derive(Debug, Default)]
pub(crate) struct Time {
    now: Cell<Ms>,
    timers: RefCell<BTreeMap<(Ms, u64), Waker>>,
    set: Cell<u64>,
}

impl Time {
    pub(crate) fn now(&self) -> Ms {
        self.now.get()
    }

    /// A future that is ready so much later.
    pub(crate) fn wait(self: &Rc<Self>, time: Ms) -> Wait {
        self.set.set(self.set.get() + 1);
        Wait { key: (self.now() + time.max(0), self.set.get()), time: Rc::clone(self) }
    }

    /// When the next timer goes off, if one is set.
    pub(crate) fn next(&self) -> Option<Ms> {
        self.timers.borrow().keys().next().map(|(at, _)| *at)
    }

    /// Lets time pass, and the first timer that is due by then go off.
    pub(crate) fn pass(&self, to: Ms) {
        assert!(to >= self.now(), "time went back");
        self.now.set(to);
        let first = self.timers.borrow().first_key_value().map(|(key, _)| *key);
        if let Some(key) = first.filter(|(at, _)| *at <= to) {
            let waker = self.timers.borrow_mut().remove(&key);
            waker.into_iter().for_each(Waker::wake);
        }
    }
}

/// See [`Time::wait`].
#[derive(Debug)]
pub(crate) struct Wait {
    key: (Ms, u64),
    time: Rc<Time>,
}

impl Future for Wait {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let is_due = self.key.0 <= self.time.now();
        if is_due {
            self.time.timers.borrow_mut().remove(&self.key);
            return Poll::Ready(());
        }
        self.time.timers.borrow_mut().insert(self.key, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.time.timers.borrow_mut().remove(&self.key);
    }
}

#[derive(Debug)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// One future. Dropped, it is a process that was killed.
pub(crate) struct Task<T> {
    future: Pin<Box<dyn Future<Output = T>>>,
    woken: Arc<Woken>,
    waker: Waker,
}

impl<T> Task<T> {
    pub(crate) fn new(future: impl Future<Output = T> + 'static) -> Self {
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        Self { future: Box::pin(future), waker: Waker::from(Arc::clone(&woken)), woken }
    }

    /// Goes on if one of its timers went off; what it comes to once it has ended.
    pub(crate) fn go_on(&mut self) -> Option<T> {
        while self.woken.0.swap(false, Ordering::Relaxed) {
            if let Poll::Ready(end) = self.future.as_mut().poll(&mut Context::from_waker(&self.waker)) {
                return Some(end);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::*;

    /// Lets all of it run to its end.
    fn run<T>(time: &Rc<Time>, task: &mut Task<T>) -> T {
        loop {
            if let Some(end) = task.go_on() {
                return end;
            }
            time.pass(time.next().expect("a task that waits for nothing"));
        }
    }

    #[test]
    fn what_waits_side_by_side_takes_as_long_as_the_longest() {
        let time = Rc::new(Time::default());
        for many in [2, 40] {
            let begun = time.now();
            let clock = Rc::clone(&time);
            let waits = async move {
                join_all((1..=many).map(async |n| {
                    clock.wait(n * 10).await;
                    clock.now()
                }))
                .await
            };
            let ends = run(&time, &mut Task::new(waits));
            assert_eq!(ends, (1..=many).map(|n| begun + n * 10).collect::<Vec<Ms>>());
        }
    }

    #[test]
    fn two_processes_share_one_time_and_a_dropped_one_leaves_no_timer() {
        let time = Rc::new(Time::default());
        let said = Rc::new(RefCell::new(Vec::new()));
        let process = |name: &'static str, step: Ms| {
            let (time, said) = (Rc::clone(&time), Rc::clone(&said));
            Task::new(async move {
                for _ in 0..3 {
                    time.wait(step).await;
                    said.borrow_mut().push((name, time.now()));
                }
            })
        };
        let (mut a, mut b) = (process("a", 20), Some(process("b", 30)));
        loop {
            let ended = a.go_on().is_some();
            b.as_mut().map(Task::go_on);
            if ended {
                break;
            }
            if said.borrow().len() == 2 {
                b = None;
            }
            time.pass(time.next().unwrap());
        }
        assert_eq!(*said.borrow(), [("a", 20), ("b", 30), ("a", 40), ("a", 60)]);
        assert_eq!(time.next(), None);
    }
}
