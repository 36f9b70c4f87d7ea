//! What the audit says.

use snapferry_core::audit::Record;
use snapferry_core::expiring::{
    Alarm, Change, Outcome, Refusal, Rest, decide, kept, lineage_unknown, record, refused, rest,
};
use snapferry_core::facts::CallError;

use crate::world::*;

fn error(code: &str, message: &str) -> CallError {
    CallError { code: code.to_owned(), message: message.to_owned(), request_id: Some("r-1".to_owned()) }
}

/// The line without its metrics, by a program of version 1.2.3.
fn told(record: &Record) -> String {
    serde_json::to_string(&Record { version: "1.2.3", ..record.clone() }).unwrap()
}

#[test]
fn a_deletion_is_told_as_it_went() {
    let plan_facts = facts(&[copy(1, -40, -10), copy(2, -1, 29)]);
    let plan = decide(&policies(""), &plan_facts, LIMITS, now());
    let line = |outcome| told(&record(&plan.deletions[0], &outcome, now()).scheduled(Some("run-1")));
    insta::assert_snapshot!(line(Outcome::Deleted), @r#"{"audit":"snapferry/1","version":"1.2.3","time":"2026-11-22T12:00:00Z","event":"copy.expired","reason":"expired","message":"Its time was over since 2026-11-12T12:00:00Z; snap-c0000002 is newer and stays.","trigger":"schedule","triggerId":"run-1","policy":"default","source":{"snapshot":"snap-50000001","account":"111111111111","region":"us-east-1","volume":"vol-00000001","startTime":"2026-10-13T12:00:00Z"},"copy":{"snapshot":"snap-c0000001","region":"eu-west-1","expireAfter":"2026-11-12T12:00:00Z","status":"verified"}}"#);
    let told = |outcome: Outcome| {
        let record = record(&plan.deletions[0], &outcome, now());
        let notice = plan.deletions[0].notice(&outcome).is_some();
        let (harmless, closes) = (outcome.is_harmless(), outcome.closes_region());
        format!(
            "{} {} notice:{notice} harmless:{harmless} closes:{closes} {}",
            record.reason.event().name(),
            record.reason.name(),
            record.error.map(|e| e.code).unwrap_or_default()
        )
    };
    for (outcome, expected) in [
        (Outcome::Deleted, "copy.expired expired notice:false harmless:false closes:false "),
        (
            Outcome::Gone(error("InvalidSnapshot.NotFound", "")),
            "copy.expired already-gone notice:false harmless:false closes:false InvalidSnapshot.NotFound",
        ),
        (Outcome::Changed(Change::Gone), "copy.skipped already-gone notice:false harmless:true closes:false "),
        (Outcome::Changed(Change::NotDue), "copy.kept no-longer-due notice:false harmless:true closes:false "),
        (Outcome::Changed(Change::SurvivorGone), "copy.kept survivor-gone notice:false harmless:true closes:false "),
        (
            Outcome::Refused(Refusal::InUse, error("InvalidSnapshot.InUse", "")),
            "copy.kept in-use notice:true harmless:true closes:false InvalidSnapshot.InUse",
        ),
        (
            Outcome::Refused(Refusal::NotAuthorized, error("UnauthorizedOperation", "")),
            "copy.kept not-authorized notice:true harmless:true closes:false UnauthorizedOperation",
        ),
        (
            Outcome::Refused(Refusal::Throttled, error("RequestLimitExceeded", "")),
            "copy.kept throttled notice:true harmless:true closes:true RequestLimitExceeded",
        ),
        // It may be deleted: it counts as if it were.
        (
            Outcome::Unanswered(error("Timeout", "")),
            "copy.kept answer-lost notice:false harmless:false closes:true Timeout",
        ),
        (
            Outcome::Unread(error("Timeout", "")),
            "copy.kept not-read-again notice:false harmless:true closes:true Timeout",
        ),
    ] {
        assert_eq!(told(outcome), expected);
    }
}

#[test]
fn what_stays_is_told_with_its_reason() {
    let shown = [copy(1, -40, -10), copy(2, -30, 1).tag("snapferry:source-account", "x\n")];
    let plan_facts = regions([(REGION, Ok(vault(&shown))), ("eu-north-1", Err(error("Timeout", "no answer")))]);
    let plan = decide(&policies(""), &plan_facts, LIMITS, now());
    let told: Vec<String> = plan
        .kept
        .iter()
        .map(|stays| {
            let record = kept(stays, now());
            format!("{} {:?}: {}", record.reason.name(), stays.notice(), record.message.unwrap())
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r##"
    region-unread None: The copies in this Region could not be read, so none of them is deleted. The next run looks again.
    malformed-tags Some("malformed-tags eu-west-1 snap-c0000002"): Somebody changed Snapferry's tags on it: tag snapferry:source-account cannot be read: "x\\u{a}"; it is never deleted, and never proof that another copy may go. Restore the tags from its copy.started record.
    last-verified Some("last-verified eu-west-1 snap-c0000001"): Its time is over, but it is the newest copy of its volume or database that is verified, contested by nothing, and under a living key. It goes once there is a newer one.
    "##);
    let failed: Vec<&str> =
        plan.kept.iter().filter(|stays| kept(stays, now()).error.is_some()).map(|k| k.keep.reason().name()).collect();
    assert_eq!(failed, ["region-unread"]);
}

#[test]
fn summaries_carry_a_count() {
    let alarm = Alarm::MassExpiry { expiring: 300, verified: 400, deletions: 299 };
    insta::assert_snapshot!(told(&refused(&alarm, now())), @r#"{"audit":"snapferry/1","version":"1.2.3","time":"2026-11-22T12:00:00Z","event":"copy.refused","reason":"mass-expiry","message":"Nothing is deleted: 300 out of 400 verified copies would go at once, which looks like a wrong clock or a mistaken policy. If this is what you want, set SNAPFERRY_ALLOW_MASS_EXPIRY (the stack's AllowMassExpiry) to true for as long as it takes.","count":299}"#);
    let closed = told(&rest(Rest::RegionClosed, Some(&region(REGION)), 7, now()));
    insta::assert_snapshot!(closed, @r#"{"audit":"snapferry/1","version":"1.2.3","time":"2026-11-22T12:00:00Z","event":"copy.kept","reason":"region-closed","message":"Their time is over, but EC2 stopped answering in their Region. The next run goes on.","copy":{"region":"eu-west-1"},"count":7}"#);
    let unknown = lineage_unknown(7, now());
    assert_eq!((unknown.reason.name(), unknown.count, unknown.copy), ("volume-unknown", Some(7), None));
    let limit = rest(Rest::RunLimit, None, 7, now());
    assert_eq!((limit.reason.name(), limit.count, limit.copy), ("run-limit", Some(7), None));
    assert_eq!(rest(Rest::OutOfTime, None, 1, now()).reason.name(), "out-of-time");
}
