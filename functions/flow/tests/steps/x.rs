//! Attempts to break it.
use snapferry_core::ids::Region;
use snapferry_core::ledger::State;
use snapferry_flow::World as _;

use crate::world::{OWNER, Scripted, id, setup, policies, event, Call};
use snapferry_flow::Setup;

fn one_region() -> Setup {
    let mut policies = policies("");
    policies[0].targets.truncate(1);
    Setup { policies, ..setup() }
}

fn starve(bad: usize, hours: usize) -> Option<usize> {
    let (world, setup) = (Scripted::default(), one_region());
    (1..=bad).for_each(|number| world.share(number, OWNER));
    *world.refuses.borrow_mut() = (1..=bad).map(id).collect();
    world.sweep(&setup);
    for _ in 0..(6 * 60) { world.serve(&setup); }
    let delayed = world.obligations.borrow().values().filter(|o| matches!(o.state, State::Delayed { .. })).count();
    println!("bad {bad}: delayed after 6 h: {delayed}");
    // A good one of the same account, of a new volume.
    world.share(bad + 1, OWNER);
    world.events(&setup, [bad + 1]);
    for tick in 0..(hours * 60) {
        if world.count(|call| *call == Call::Copy(id(bad + 1))) > 0 { return Some(tick); }
        if tick % 15 == 14 { world.sweep(&setup); } else { world.serve(&setup); }
    }
    None
}

#[test]
fn x_refused_ones_starve_a_good_one() {
    for bad in [100, 200, 300, 400] {
        println!("bad {bad}: the good one is asked for after {:?} minutes", starve(bad, 30));
    }
}

#[test]
fn x_turn_with_a_long_lineage() {
    let (world, setup) = (Scripted::default(), one_region());
    (1..=3).for_each(|number| world.share(number, OWNER));
    (4..=6).for_each(|number| world.share(number, "222222222222"));
    *world.answers.borrow_mut() = vec![crate::world::error(snapferry_core::copying::CopyFailure::RegionFull); 1];
    world.events(&setup, 1..=6);
    world.key_limit.set(true);
    for turn in world.turns.borrow_mut().values_mut() {
        if turn.account.as_str() == OWNER { turn.lineage = Some("v".repeat(2000)); }
    }
    let mut copies = 0;
    for tick in 0..(48 * 60) {
        if tick % 15 == 14 { world.sweep(&setup); } else { world.serve(&setup); }
        copies += world.count(|call| matches!(call, Call::Copy(_)));
    }
    println!("copies asked for in 48 h with one turn edited: {copies} of 6; said last: {:?}", world.reasons());
}

#[test]
fn x_missed_is_told_again_and_again_while_its_end_cannot_be_written() {
    let (world, setup) = (Scripted::default(), one_region());
    world.share(1, OWNER);
    *world.answers.borrow_mut() = vec![crate::world::error(snapferry_core::copying::CopyFailure::RegionFull); 1];
    world.events(&setup, [1]);
    world.sources.borrow_mut().clear();
    world.sweep(&setup);
    world.no_ends.set(true);
    let mut told = 0;
    for tick in 0..60 {
        if tick % 15 == 0 { world.sweep(&setup); } else { world.serve(&setup); }
        told += world.reasons().iter().filter(|r| **r == "source-gone").count();
    }
    println!("copy.missed told {told} times in an hour");
}

#[test]
fn x_a_walk_whose_token_is_invalid() {
    let _ = (Region::parse("eu-west-1"), event(1));
    let (world, setup) = (Scripted::default(), one_region());
    let n = 30_000;
    for number in 1..=n { world.share(number, OWNER); }
    world.page.set(1000);
    world.cuts_first.set(true);
    world.page_takes.set(8);
    let mut completed = 0;
    let mut last = Vec::new();
    for tick in 0..(6 * 60) {
        world.bad_tokens.set(false);
        let before = world.round.borrow().as_ref().and_then(|r| r.walk.as_ref().and_then(|w| w.first().and_then(|s| s.next.clone())));
        // All tokens of earlier invocations are invalid.
        world.served_until.set(before.and_then(|b| b.parse().ok()).unwrap_or(0));
        world.bad_tokens.set(true);
        if tick % 15 == 0 { world.sweep(&setup); } else { world.serve(&setup); }
        completed += world.said.borrow().iter().filter(|r| r.reason.name().contains("completed") || r.sweep.is_some()).count();
        last = world.reasons();
        if tick < 8 { println!("tick {tick}: {:?} walk {:?}", &last[..last.len().min(3)], world.round.borrow().as_ref().map(|r| (r.left.len(), r.walk.clone()))); }
    }
    println!("rounds completed in 6 h: {completed}; last {:?}; {}", &last[..last.len().min(3)], world.now());
}

fn parse(document: &str) -> Vec<snapferry_core::policy::Policy> {
    snapferry_core::policy::parse(document).unwrap().policies
}

fn details(owners: &[String], encryption: &str) -> String {
    let owners: Vec<String> = owners.iter().map(|o| format!("\"{o}\"")).collect();
    format!(r#"{{"PolicyType":"EVENT_BASED_POLICY","EventSource":{{"Type":"MANAGED_CWE","Parameters":{{
        "EventType":"shareSnapshot","SnapshotOwner":[{}]}}}},
        "Actions":[{{"Name":"copy","CrossRegionCopy":[{{"Target":"eu-west-1","EncryptionConfiguration":{encryption}}}]}}]}}"#, owners.join(","))
}

fn owed_of(world: &Scripted, policy: &str) -> (usize, usize) {
    let all = world.obligations.borrow();
    let of = all.values().filter(|o| o.identity.policy.as_str() == policy);
    let (mut waits, mut other) = (0, 0);
    of.for_each(|o| if matches!(o.state, State::Owed | State::Delayed { .. }) { waits += 1 } else { other += 1 });
    (waits, other)
}

#[test]
fn x_two_policies_of_which_one_has_an_unusable_key() {
    use snapferry_core::ids::KeyArn;
    for count in [100, 450] {
        let key = "arn:aws:kms:eu-west-1:444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab";
        let owners = [OWNER.to_owned()];
        let one = |id: &str, encryption: &str| format!(r#"{{"Policy":{{"PolicyId":"{id}","State":"ENABLED","PolicyDetails":{}}}}}"#, details(&owners, encryption));
        let document = format!("[{},{}]", one("a-broken", &format!(r#"{{"Encrypted":true,"CmkArn":"{key}"}}"#)), one("b-good", r#"{"Encrypted":true}"#));
        let (world, setup) = (Scripted::default(), Setup { policies: parse(&document), ..setup() });
        let problem = snapferry_core::facts::KeyProblem::Disabled;
        world.key_facts.borrow_mut().insert(KeyArn::parse(key).unwrap(), snapferry_core::facts::KeyFact::Unusable(problem));
        (1..=count).for_each(|number| world.share(number, OWNER));
        let mut hours = Vec::new();
        for tick in 0..(15 * 60) {
            if tick % 15 == 0 { world.sweep(&setup); } else { world.serve(&setup); }
            if tick % 300 == 299 { hours.push(owed_of(&world, "b-good")); }
        }
        println!("count {count}: of the good policy (waiting, asked for) every 5 h: {hours:?}; of the broken: {:?}", owed_of(&world, "a-broken"));
    }
}

#[test]
fn x_three_broken_accounts_and_the_others() {
    let owners: Vec<String> = (0..60).map(|n| format!("{:012}", 100_000_000_000_u64 + n)).collect();
    let (world, setup) = (Scripted::default(), Setup { policies: parse(&details(&owners, r#"{"Encrypted":true}"#)), ..setup() });
    let mut number = 0;
    for (n, owner) in owners.iter().enumerate() {
        for _ in 0..(if n < 40 { 40 } else { 3 }) {
            number += 1;
            world.share(number, owner);
            if n < 40 { world.refuses.borrow_mut().insert(id(number)); }
        }
    }
    let mut left = Vec::new();
    for tick in 0..(2 * 60) {
        if tick % 15 == 0 { world.sweep(&setup); } else { world.serve(&setup); }
        let waits = world.obligations.borrow().values().filter(|o| matches!(o.state, State::Owed) && !world.refuses.borrow().contains(&o.identity.source)).count();
        if tick < 6 || tick % 30 == 29 { left.push(waits); }
    }
    println!("60 accounts, 40 broken: good ones that wait (of 60): {left:?}");
}

#[test]
fn x_turn_with_a_long_lineage_by_account() {
    let owners: Vec<String> = (0..40).map(|n| format!("{:012}", 100_000_000_000_u64 + n)).collect();
    let (world, setup) = (Scripted::default(), Setup { policies: parse(&details(&owners, r#"{"Encrypted":true}"#)), ..setup() });
    let mut number = 0;
    for owner in &owners { for _ in 0..8 { number += 1; world.share(number, owner); } }
    *world.answers.borrow_mut() = vec![crate::world::error(snapferry_core::copying::CopyFailure::RegionFull); 1];
    world.sweep(&setup);
    world.key_limit.set(true);
    for turn in world.turns.borrow_mut().values_mut() {
        if turn.account.as_str() == owners[0] { turn.lineage = Some("v".repeat(2000)); turn.tried = None; }
    }
    let mut seen = Vec::new();
    for tick in 0..(6 * 60) {
        if tick % 15 == 14 { world.sweep(&setup); } else { world.serve(&setup); }
        if tick % 60 == 0 || tick == 5 {
            let all = world.obligations.borrow();
            let waits = |is: bool| all.values().filter(|o| matches!(o.state, State::Owed | State::Delayed{..}) && (o.account.as_str() == owners[0]) == is).count();
            seen.push((tick, waits(true), waits(false)));
        }
    }
    println!("one turn edited (minute, its account's waiting of 8, others' waiting of 312): {seen:?}");
}

#[test]
fn x_an_honest_hint_in_a_flood() {
    for flood in [10_000, 40_000] {
        let (world, setup) = (Scripted::default(), Setup { since: Some("2030-01-01T00:00:00Z".parse().unwrap()), ..one_region() });
        let base = 1_000_000;
        for chunk in 0..(flood / 10) {
            if chunk == flood / 20 { world.events(&setup, [1]); }
            world.events(&setup, (0..10).map(|n| base + chunk * 10 + n));
            world.clock.set(world.clock.get() + 1);
        }
        // An hour later its snapshot is there.
        for _ in 0..60 { world.serve(&setup); }
        world.share(1, OWNER);
        let mut copied = None;
        let mut told = Vec::new();
        for tick in 0..(25 * 60) {
            world.serve(&setup);
            if world.count(|call| *call == Call::Copy(id(1))) > 0 { copied = Some(tick); break; }
            told.extend(world.said.borrow().iter().filter(|r| r.source.as_ref().is_some_and(|s| s.snapshot == id(1).to_string())).map(|r| (tick, r.reason.name())));
        }
        println!("flood {flood}: the honest one is copied after {copied:?} min; told {told:?}");
    }
}

#[test]
fn x_many_that_nobody_wants_any_more() {
    let (world, setup) = (Scripted::default(), one_region());
    (1..=5000).for_each(|number| world.share(number, OWNER));
    *world.answers.borrow_mut() = vec![crate::world::error(snapferry_core::copying::CopyFailure::RegionFull); 1];
    world.sweep(&setup);
    let mut disabled = one_region();
    disabled.policies[0].state = snapferry_core::policy::PolicyState::Disabled;
    let mut counts = Vec::new();
    for _ in 0..6 {
        world.sweep(&disabled);
        let left = world.obligations.borrow().values().filter(|o| !o.has_ended()).count();
        counts.push((world.count(|call| *call == Call::Read("obligation")), left));
    }
    println!("5000 withdrawn: (GetItem, open left) of each sweep: {counts:?}");
}

#[test]
fn x_two_policies_of_which_one_is_put_off() {
    use snapferry_core::ids::KeyArn;
    let key = "arn:aws:kms:eu-west-1:444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    let owners = [OWNER.to_owned()];
    let one = |id: &str, encryption: &str, more: &str| format!(r#"{{"Policy":{{"PolicyId":"{id}","State":"ENABLED","PolicyDetails":{}}}}}"#, details(&owners, encryption).replace("}]}]}", &format!("{more}}}]}}]}}")));
    for what in ["key unread", "duration"] {
        for count in [2, 10, 40] {
            let first = if what == "duration" { one("a-first", r#"{"Encrypted":true}"#, r#","CompletionDurationMinutes":60"#) } else { one("a-first", &format!(r#"{{"Encrypted":true,"CmkArn":"{key}"}}"#), "") };
            let document = format!("[{first},{}]", one("b-good", r#"{"Encrypted":true}"#, ""));
            let (world, setup) = (Scripted::default(), Setup { policies: parse(&document), ..setup() });
            world.no_duration.set(true);
            let error = snapferry_core::facts::CallError::not_read();
            if what != "duration" { world.key_facts.borrow_mut().insert(KeyArn::parse(key).unwrap(), snapferry_core::facts::KeyFact::Unread(error)); }
            (1..=count).for_each(|number| world.share(number, OWNER));
            let mut minutes = Vec::new();
            for tick in 0..(5 * 60) {
                if tick % 15 == 0 { world.sweep(&setup); } else { world.serve(&setup); }
                if [0, 5, 30, 299].contains(&tick) { minutes.push((tick, owed_of(&world, "b-good"))); }
            }
            println!("{what}, {count} volumes: of the good policy (minute, (waiting, asked for)): {minutes:?}");
        }
    }
}
