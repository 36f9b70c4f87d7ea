//! What the ledger owes, in lines.

use snapferry_core::ids::VolumeId;
use snapferry_core::ledger::{By, Extract, Hint, Identity, Obligation, State as Stands};

use super::*;

fn region() -> Region {
    Region::parse("eu-west-2").unwrap()
}

/// Wanted for ten minutes.
fn obligation(snapshot: &str, state: Stands) -> Obligation {
    let source = shared(snapshot, "nightly");
    let identity =
        Identity { policy: PolicyName::parse("default").unwrap(), source: source.id.clone(), region: region() };
    let lineage = VolumeId::parse("vol-01234567").unwrap();
    Obligation { state, ..Obligation::new(identity, &source, lineage, By::Event, ago(10)) }
}

fn ago(minutes: i64) -> Timestamp {
    time() - jiff::SignedDuration::from_mins(minutes)
}

fn reading(obligations: &[Obligation]) -> Reading {
    let mut extract = Extract::default();
    obligations.iter().for_each(|obligation| extract.add(obligation, time()));
    extract.hints.push(Hint {
        source: id("snap-000000aa"),
        event: "e\n".to_owned(),
        wanted: ago(5),
        since: ago(5),
        looked: ago(1),
        revision: 0,
    });
    Reading::Read(extract.close())
}

fn said(reading: &Reading, as_json: bool) -> String {
    let mut output = Vec::new();
    if as_json {
        owed::print_json(reading, time(), &mut output)
    } else {
        owed::print_text(reading, time(), &mut output)
    }
    .unwrap();
    String::from_utf8(output).unwrap()
}

#[test]
fn a_line_for_each_that_is_owed_and_each_hint() {
    let delayed = Obligation { failed: 2, ..obligation("snap-00000002", Stands::Delayed { since: ago(5) }) };
    let reading = reading(&[obligation("snap-00000001", Stands::Owed), delayed]);
    assert_data_eq!(
        said(&reading, true),
        str![[r#"
{"owed":{"snapshot":"snap-00000001","account":"111111111111","policy":"default","region":"eu-west-2","state":"in-line","since":"2026-11-22T02:50:00Z","refused":0,"failed":0,"gone":false,"why":"It stands in the Region's line and waits for its turn."}}
{"owed":{"snapshot":"snap-00000002","account":"111111111111","policy":"default","region":"eu-west-2","state":"delayed","since":"2026-11-22T02:50:00Z","until":"2026-11-22T03:10:00Z","refused":0,"failed":2,"gone":false,"why":"Its copy failed: it is asked for again after 2026-11-22T03:10:00Z, behind those that were not refused and did not fail."}}
{"hint":{"snapshot":"snap-000000aa","event":"e\\u{a}","since":"2026-11-22T02:55:00Z"}}

"#]]
        .raw()
    );
    let owed = json!({"in-line": 1, "delayed": 1});
    assert_eq!(owed::summary(&reading), json!({"read": true, "note": null, "owed": owed, "hints": 1}));
    let text = said(&reading, false);
    for each in
        ["10 min in-line", "10 min delayed until 2026-11-22 03:10 UTC, failed 2", "snap-000000aa: an event named it"]
    {
        assert!(text.contains(each), "{each}: {text}");
    }
}

#[test]
fn what_is_more_than_a_screen_holds_is_counted_with_the_oldest() {
    let number = |number: usize| format!("snap-{number:08x}");
    let mut all: Vec<_> = (0..LISTED).map(|each| obligation(&number(each), Stands::Owed)).collect();
    assert!(said(&reading(&all), false).contains(&number(LISTED - 1)));
    all.push(Obligation { wanted: ago(600), ..obligation(&number(LISTED), Stands::Asked { at: ago(1) }) });
    all.push(Obligation { wanted: ago(700), ..obligation(&number(LISTED + 1), Stands::Owed) });
    let text = said(&reading(&all), false);
    let line = |of: &str| text.lines().find(|line| line.contains(of)).unwrap_or_default().to_owned();
    assert!(line("in-line").contains("51") && line("in-line").contains(&number(LISTED + 1)), "{text}");
    assert!(line("asked").contains(&number(LISTED)) && line("asked").contains("10 h"), "{text}");
    assert!(text.contains("--json lists all 52 that are owed."), "{text}");
}

#[test]
fn nothing_owed_and_nothing_read_are_not_the_same() {
    let empty = Reading::Read(Extract::default());
    assert_eq!(said(&empty, false), "Nothing is owed.\n");
    let mut unreadable = Extract::default();
    unreadable.unreadable = 2;
    assert!(said(&Reading::Read(unreadable), false).contains("cannot be read and are left out: 2"));
    for (reading, why) in [(Reading::NotNamed, "--stack"), (Reading::Failed("no way".to_owned()), "no way")] {
        assert_eq!(said(&reading, true), "");
        let text = said(&reading, false);
        assert!(text.starts_with("What is owed is not said") && text.contains(why), "{text}");
        let summary = owed::summary(&reading);
        assert_eq!((&summary["read"], summary.get("owed")), (&json!(false), None));
        assert_eq!(summary["note"], text.trim_end());
    }
}

#[test]
fn a_pause_puts_off_what_would_be_copied_until_it_is_over() {
    let policies = policy::parse(POLICY).unwrap().policies;
    let refused = |since| Obligation { refused: 3, ..obligation("snap-00000001", Stands::Delayed { since }) };
    for (stands, is_put_off) in
        [(refused(ago(3)), true), (refused(ago(4)), false), (obligation("snap-00000001", Stands::Owed), false)]
    {
        let obligations = BTreeMap::from([(stands.identity.clone(), stands)]);
        let facts = Facts { obligations, ..facts(Scope::Events) };
        let mut plan = decided(&policies, &facts, time()).unwrap();
        owed::put_off(&mut plan, &facts.obligations, time());
        assert_eq!(plan.decisions.iter().any(would_copy), !is_put_off);
        let reasons: Vec<_> = plan.decisions.iter().map(|decision| Row::new(decision, time()).reason).collect();
        assert_eq!(reasons.contains(&"in-line"), is_put_off);
    }
}

#[test]
fn what_is_over_matters_while_ec2_may_hide_its_copy() {
    let ended = |at| Stands::Ended { at, why: snapferry_core::ledger::End::Protected, copy: None };
    for (state, matters) in [(Stands::Owed, true), (ended(ago(9)), true), (ended(ago(10)), false)] {
        assert_eq!(owed::matters(&obligation("snap-00000001", state.clone()), time()), matters, "{state:?}");
    }
}
