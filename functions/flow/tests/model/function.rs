//! The function over the model: its environments, and the invocations in them.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

use jiff::Timestamp;
use snapferry_core::event::{self, Message};
use snapferry_core::ids::{AccountId, KeyArn};
use snapferry_core::policy::SourceType;
use snapferry_flow::{Handled, Kept, Setup, Work, handle};

use crate::clock::{MINUTE, Ms};
use crate::cloud::Cloud;
use crate::mistakes::Mistake;
use crate::policies::{self, ACCOUNT, Phase, policies, region};
use crate::process::{Birth, Death, Process, kinds};
use crate::time::{Task, Time};

/// As the template sets it.
const FUNCTION_TIMEOUT: Ms = 5 * MINUTE;

/// What an invocation did with its messages.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) messages: usize,
    /// Whether the share messages among them go back to the queue.
    pub(crate) gives_back: bool,
}

/// One invocation under way.
struct Running {
    task: Task<Handled>,
    birth: Birth,
    is_dead: Rc<Cell<bool>>,
    /// How many messages of the queue it has; nothing for one that Lambda started besides.
    messages: Option<usize>,
}

/// What an environment keeps.
struct Environment {
    number: usize,
    kept: Rc<Kept>,
}

/// The function.
pub(crate) struct Function {
    pub(crate) cloud: Rc<RefCell<Cloud>>,
    time: Rc<Time>,
    /// What the document is from when on, the latest first.
    phases: Vec<(Ms, Phase)>,
    since: Timestamp,
    mistake: Option<Mistake>,
    /// From when until when the story is told.
    story: Option<(Ms, Ms)>,
    setup: Rc<Setup>,
    keys: Rc<BTreeSet<KeyArn>>,
    phase: Phase,
    /// The one that takes from the queue, and the one that sometimes runs beside it.
    environments: [Environment; 2],
    born: usize,
    /// Where a process can die.
    kinds: Vec<&'static str>,
    /// At which of these one is to die next: some hardly ever come.
    rare: usize,
    running: Vec<Running>,
}

impl Function {
    pub(crate) fn new(
        seed: u64,
        cloud: Cloud,
        mut phases: Vec<(Ms, Phase)>,
        since: Timestamp,
        mistake: Option<Mistake>,
    ) -> Self {
        phases.reverse();
        let phase = Phase::default();
        let (kind, records) = (cloud.ec2.kind, cloud.ec2.weather.records);
        let environment = |number| Environment { number, kept: Rc::default() };
        Self {
            cloud: Rc::new(RefCell::new(cloud)),
            time: Rc::default(),
            phases,
            since,
            mistake,
            story: story(),
            setup: Rc::new(setup(kind, phase, since, records, mistake)),
            keys: Rc::new(policies::keys(kind, phase)),
            phase,
            environments: [environment(0), environment(1)],
            born: 2,
            kinds: kinds(kind),
            rare: usize::try_from(seed).unwrap_or_default() % kinds(kind).len(),
            running: Vec::new(),
        }
    }

    pub(crate) fn now(&self) -> Ms {
        self.time.now()
    }

    /// Whether nothing of the queue's is under way.
    pub(crate) fn is_idle(&self) -> bool {
        self.running.iter().all(|running| running.messages.is_none())
    }

    /// Whether all is calm and nothing under way any more.
    pub(crate) fn is_over(&self, now: Ms) -> bool {
        let cloud = self.cloud.borrow();
        let is_quiet = cloud.ec2.is_quiet() && cloud.verifier.is_quiet();
        cloud.ec2.weather.is_calm(now) && self.running.is_empty() && is_quiet
    }

    /// Lets time pass until then, or until a process has something to do or is stopped.
    pub(crate) fn pass(&mut self, to: Ms) -> Ms {
        let stops = self.running.iter().map(|running| running.birth.until).min().unwrap_or(Ms::MAX);
        let to = self.time.next().unwrap_or(Ms::MAX).min(stops).min(to);
        self.time.pass(to);
        self.cloud.borrow_mut().advance(to);
        to
    }

    /// Starts an invocation with a batch of the queue's, and sometimes another one beside it: a delivery tried again, or a tick.
    pub(crate) fn start(&mut self, bodies: &[String]) {
        self.deploy();
        self.begin(0, bodies, Some(bodies.len()));
        let (is_doubled, is_same) = {
            let cloud = &mut *self.cloud.borrow_mut();
            let (weather, rng) = (&cloud.ec2.weather, &mut cloud.ec2.rng);
            (weather.happens(rng, self.time.now(), weather.second), rng.bool())
        };
        if is_doubled && self.running.len() == 1 {
            let tick = [format!("{{\"{}\":\"again\"}}", if is_same { "serve" } else { "sweep" })];
            self.begin(1, if is_same { bodies } else { &tick }, None);
            self.cloud.borrow_mut().ec2.laws.count("two-at-a-time");
        }
    }

    /// A new document is a new version of the function: no environment outlives it.
    fn deploy(&mut self) {
        let now = self.time.now();
        let phase = self.phases.iter().find(|(from, _)| *from <= now).map_or_else(Phase::default, |(_, phase)| *phase);
        if phase != self.phase {
            self.phase = phase;
            let kind = self.cloud.borrow().ec2.kind;
            self.setup = Rc::new(setup(kind, phase, self.since, self.setup.records, self.mistake));
            self.keys = Rc::new(policies::keys(kind, phase));
            (0..2).for_each(|environment| self.renew(environment));
        }
    }

    /// The environment is gone: the next invocation starts in a new one.
    fn renew(&mut self, environment: usize) {
        self.environments[environment] = Environment { number: self.born, kept: Rc::default() };
        self.born += 1;
    }

    fn begin(&mut self, environment: usize, bodies: &[String], messages: Option<usize>) {
        let now = self.time.now();
        let mut cloud = self.cloud.borrow_mut();
        cloud.ec2.laws.count("invocations");
        let process = cloud.born(self.phase, now);
        let work = sort(bodies, &mut cloud);
        let ec2 = &mut cloud.ec2;
        let (weather, rng) = (&ec2.weather, &mut ec2.rng);
        let is_replaced = rng.u32(0..50) == 0;
        let death = weather.happens(rng, now, weather.kills).then(|| {
            let most = 1 << rng.u32(0..6);
            let kind = self.kinds[rng.usize(0..self.kinds.len())];
            let any = Death { kind, after: rng.u32(0..most), has_effect: rng.bool() };
            if rng.bool() { any } else { Death { kind: self.kinds[self.rare], after: 0, ..any } }
        });
        let skew = if weather.happens(rng, now, 10) { rng.i64(-weather.skew..=weather.skew) } else { 0 };
        drop(cloud);
        if is_replaced {
            self.renew(environment);
        }
        let kept = Rc::clone(&self.environments[environment].kept);
        let birth = Birth {
            process,
            environment: self.environments[environment].number,
            phase: self.phase,
            until: now + FUNCTION_TIMEOUT,
            skew,
            death,
            mistake: self.mistake,
            story: self.story,
        };
        let world = Process::new(birth, &self.keys, &self.cloud, &self.time);
        let (setup, is_dead) = (Rc::clone(&self.setup), Rc::clone(&world.is_dead));
        let kept = if self.mistake == Some(Mistake::RepeatsNotices) { Rc::default() } else { kept };
        let task = Task::new(async move { handle(&world, &setup, &kept, &work).await });
        self.running.push(Running { task, birth, is_dead, messages });
    }

    /// Lets the processes go on. If the one that has the queue's messages ended well, what becomes of those.
    pub(crate) fn go_on(&mut self) -> Option<Done> {
        let (mut done, now) = (None, self.time.now());
        for mut running in std::mem::take(&mut self.running) {
            let handled = running.task.go_on();
            let is_killed = running.is_dead.get() || now >= running.birth.until;
            match handled {
                Some(handled) if !is_killed => {
                    let gives_back = handled.gives_back;
                    done = done.or(running.messages.map(|messages| Done { messages, gives_back }));
                }
                None if !is_killed => {
                    self.running.push(running);
                    continue;
                }
                _ => {
                    let is_rare = running.birth.death.is_some_and(|death| death.kind == self.kinds[self.rare]);
                    self.rare = (self.rare + usize::from(is_rare)) % self.kinds.len();
                    let environment = self.environments.iter().position(|e| e.number == running.birth.environment);
                    environment.into_iter().for_each(|environment| self.renew(environment));
                    self.cloud.borrow_mut().ec2.laws.count("invocations-killed");
                }
            }
            self.cloud.borrow_mut().over(running.birth.process, now);
        }
        done
    }
}

fn story() -> Option<(Ms, Ms)> {
    let story = std::env::var("SNAPFERRY_MODEL_STORY").ok()?;
    let (from, until) = story.split_once('-').expect("SNAPFERRY_MODEL_STORY: from-until, in milliseconds");
    Some((from.parse().expect("a number"), until.parse().expect("a number")))
}

fn setup(kind: SourceType, phase: Phase, since: Timestamp, records: usize, mistake: Option<Mistake>) -> Setup {
    let mut policies = policies(kind, phase);
    if mistake == Some(Mistake::CopiesUnasked) {
        let any = policies[1].description.clone();
        policies.iter_mut().for_each(|policy| policy.description = any.clone());
    }
    Setup {
        policies,
        account: AccountId::parse(ACCOUNT).ok(),
        home: region(0),
        since: Some(since),
        records,
        silent_after_hours: 48,
        retired_policies: BTreeSet::default(),
        unserved: Vec::new(),
    }
}

/// The input's messages, as the function sorts them.
fn sort(bodies: &[String], cloud: &mut Cloud) -> Work {
    let (mut work, laws) = (Work::default(), &mut cloud.ec2.laws);
    for body in bodies {
        match event::parse(body) {
            Ok(Message::Sweep { id }) => work.sweeps.push(id),
            Ok(Message::Serve { id }) => work.serves.push(id),
            Ok(Message::Share(share)) => {
                if work.events.iter().any(|known| known.snapshot == share.snapshot) {
                    laws.count("event-twice-in-a-batch");
                }
                work.events.push(share);
            }
            Ok(Message::Copy(ended)) => work.ended.push(ended),
            Ok(Message::Other(_)) => laws.count("event-of-another-kind"),
            Err(_) => laws.count("event-that-is-garbage"),
        }
    }
    work
}
