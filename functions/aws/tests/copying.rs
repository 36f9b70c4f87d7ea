//! Carrying out copies against mocked EC2: what is sent, what is repeated, what closes a Region.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use std::cell::RefCell;
use std::time::Duration;

use aws_sdk_ec2::operation::copy_snapshot::CopySnapshotOutput;
use aws_smithy_mocks::{Rule, mock};
use common::{KEY, clients, ec2, ec2_error, http, policies, region, source};
use snapferry_aws::clients::Clients;
use snapferry_aws::copying::execute;
use snapferry_aws::deadline::{Deadline, RESERVE};
use snapferry_core::copying::{CopyRequest, Decision, Outcome, Subject, Verdict};
use snapferry_core::facts::SourceSnapshot;
use snapferry_core::ids::Region;
use snapferry_core::policy::Policy;

const LONG: Duration = Duration::from_secs(120);

fn started(id: &'static str) -> CopySnapshotOutput {
    CopySnapshotOutput::builder().snapshot_id(id).build()
}

/// Copies each source to each of the policy's targets and gives the outcomes in short, in the order they came.
async fn run(clients: &Clients, policy: &Policy, sources: &[SourceSnapshot], time: Duration) -> Vec<String> {
    let home: Region = region("us-east-1");
    let mut decisions = Vec::new();
    for target in &policy.targets {
        for source in sources {
            let request =
                CopyRequest { policy: &policy.name, filter: &policy.description, source, home: &home, target };
            let (policy, subject, region) = (Some(&policy.name), Subject::Seen(source), Some(&target.region));
            decisions.push(Decision { policy, subject, region, verdict: Verdict::Copy(request), stands: None });
        }
    }
    let outcomes = RefCell::new(Vec::new());
    execute(clients, &decisions, Deadline::after(time), |decision, outcome| {
        let what = match outcome {
            Outcome::Started { copy, .. } => format!("started {copy}"),
            Outcome::Deferred(deferral) => format!("deferred {}", deferral.reason()),
            Outcome::Failed { reason, .. } => format!("failed {reason}"),
            Outcome::Stands => "stands".to_owned(),
        };
        outcomes.borrow_mut().push(format!("{} {what}", decision.region.unwrap()));
    })
    .await;
    outcomes.into_inner()
}

#[tokio::test]
async fn the_request_carries_all_that_the_policy_asks_for() {
    let rule: Rule = mock!(aws_sdk_ec2::Client::copy_snapshot)
        .match_requests(|request| {
            let url = request.presigned_url().unwrap_or_default();
            let tags = request.tag_specifications()[0].tags();
            let tag = |key: &str| tags.iter().find(|tag| tag.key() == Some(key)).and_then(|tag| tag.value());
            request.source_region() == Some("us-east-1")
                && request.destination_region() == Some("eu-west-1")
                && request.encrypted() == Some(true)
                && request.kms_key_id() == Some(KEY)
                && request.description()
                    == Some("Snapferry copy of snap-00000001 from us-east-1 (account 111111111111): nightly")
                && url.starts_with("https://ec2.us-east-1.amazonaws.com/?Action=CopySnapshot&")
                && url.contains("&DestinationRegion=eu-west-1&")
                && url.contains("&Encrypted=true&")
                && url.contains("%2Fus-east-1%2Fec2%2Faws4_request&")
                && tag("snapferry:status") == Some("copying")
                && tag("snapferry:kms-key") == Some(KEY)
                && tag("snapferry:source-snapshot") == Some("snap-00000001")
                && tag("snapferry:expire-after").is_some()
        })
        .then_output(|| started("snap-0000c001"));
    let clients = clients([ec2("eu-west-1", &[&rule])], []);
    let outcomes = run(&clients, &policies(&["eu-west-1"])[0], &[source(1)], LONG).await;
    assert_eq!(outcomes, ["eu-west-1 started snap-0000c001"]);
}

#[tokio::test]
async fn within_the_home_region_a_url_is_sent_too() {
    let rule = mock!(aws_sdk_ec2::Client::copy_snapshot)
        .match_requests(|request| {
            let url = request.presigned_url().unwrap_or_default();
            request.destination_region() == Some("us-east-1") && url.contains("&DestinationRegion=us-east-1&")
        })
        .then_output(|| started("snap-0000c001"));
    let clients = clients([ec2("us-east-1", &[&rule])], []);
    let outcomes = run(&clients, &policies(&["us-east-1"])[0], &[source(1)], LONG).await;
    assert_eq!(outcomes, ["us-east-1 started snap-0000c001"]);
}

#[tokio::test(start_paused = true)]
async fn throttling_is_waited_out() {
    let rule = mock!(aws_sdk_ec2::Client::copy_snapshot)
        .sequence()
        .http_response(|| ec2_error(503, "RequestLimitExceeded", "slow down"))
        .http_response(|| ec2_error(400, "Throttling", "slow down"))
        .output(|| started("snap-0000c001"))
        .build();
    let clients = clients([ec2("eu-west-1", &[&rule])], []);
    let outcomes = run(&clients, &policies(&["eu-west-1"])[0], &[source(1)], LONG).await;
    assert_eq!((outcomes.as_slice(), rule.num_calls()), (["eu-west-1 started snap-0000c001".to_owned()].as_slice(), 3));
}

#[tokio::test(start_paused = true)]
async fn endless_throttling_closes_the_region_and_no_other() {
    let busy =
        mock!(aws_sdk_ec2::Client::copy_snapshot).then_http_response(|| ec2_error(503, "Throttling", "slow down"));
    let free = mock!(aws_sdk_ec2::Client::copy_snapshot).then_output(|| started("snap-0000c001"));
    let clients = clients([ec2("eu-west-1", &[&busy]), ec2("eu-central-1", &[&free])], []);
    let mut outcomes = run(&clients, &policies(&["eu-west-1", "eu-central-1"])[0], &[source(1), source(2)], LONG).await;
    outcomes.sort();
    assert_eq!(
        outcomes,
        [
            "eu-central-1 started snap-0000c001",
            "eu-central-1 started snap-0000c001",
            "eu-west-1 deferred throttled",
            "eu-west-1 deferred throttled",
        ]
    );
    assert_eq!(busy.num_calls(), 6, "the second copy was not asked for");
}

#[tokio::test]
async fn the_limit_of_copies_in_flight_closes_the_region() {
    for (code, reason) in [
        ("ResourceLimitExceeded", "region-full"),
        ("SnapshotLimitExceeded", "quota-exceeded"),
        ("PendingSnapshotLimitExceeded", "region-full"),
    ] {
        let rule = mock!(aws_sdk_ec2::Client::copy_snapshot)
            .sequence()
            .output(|| started("snap-0000c001"))
            .http_response(move || ec2_error(400, code, "too many"))
            .build();
        let clients = clients([ec2("eu-west-1", &[&rule])], []);
        let sources = [source(1), source(2), source(3), source(4)];
        let outcomes = run(&clients, &policies(&["eu-west-1"])[0], &sources, LONG).await;
        let deferred = format!("eu-west-1 deferred {reason}");
        assert_eq!(outcomes[0], "eu-west-1 started snap-0000c001", "{code}");
        assert_eq!(outcomes[1..], vec![deferred; 3], "{code}");
        assert_eq!(rule.num_calls(), 2, "{code}");
    }
}

#[tokio::test]
async fn an_answer_in_doubt_is_never_asked_for_again() {
    for (status, body) in [
        (500, "<Response><Errors><Error><Code>InternalError</Code><Message>oops</Message></Error></Errors></Response>"),
        (503, "<Response><Errors><Error><Code>Unavailable</Code><Message>oops</Message></Error></Errors></Response>"),
        (502, "<html>bad gateway</html>"),
        (200, "<CopySnapshotResponse></CopySnapshotResponse>"),
        (200, "not XML"),
    ] {
        let rule = mock!(aws_sdk_ec2::Client::copy_snapshot).then_http_response(move || http(status, body));
        let clients = clients([ec2("eu-west-1", &[&rule])], []);
        let outcomes = run(&clients, &policies(&["eu-west-1"])[0], &[source(1)], LONG).await;
        assert_eq!(outcomes, ["eu-west-1 deferred answer-lost"], "{status} {body}");
        assert_eq!(rule.num_calls(), 1, "{status} {body}");
    }
}

#[tokio::test]
async fn a_refusal_is_named_and_the_next_copy_is_still_asked_for() {
    for (code, message, expected) in [
        ("UnauthorizedOperation", "You are not authorized", "failed not-authorized"),
        ("AuthFailure", "Not authorized to use key", "failed not-authorized"),
        ("OptInRequired", "", "failed region-not-enabled"),
        ("InvalidSnapshot.NotFound", "", "failed source-not-found"),
        ("SnapshotCopyUnsupported.InterRegion", "", "failed copy-unsupported"),
        ("InvalidParameterValue", "The specified keyId x is disabled", "failed key-refused"),
        ("InvalidParameterValue", "something else", "failed call-refused"),
    ] {
        let rule = mock!(aws_sdk_ec2::Client::copy_snapshot).then_http_response(move || ec2_error(400, code, message));
        let clients = clients([ec2("eu-west-1", &[&rule])], []);
        let outcomes = run(&clients, &policies(&["eu-west-1"])[0], &[source(1), source(2)], LONG).await;
        assert_eq!(outcomes, vec![format!("eu-west-1 {expected}"); 2], "{code}");
        assert_eq!(rule.num_calls(), 2, "{code}");
    }
}

#[tokio::test]
async fn no_copy_starts_in_the_last_seconds() {
    let rule = mock!(aws_sdk_ec2::Client::copy_snapshot).then_output(|| started("snap-0000c001"));
    let clients = clients([ec2("eu-west-1", &[&rule])], []);
    let little = RESERVE - Duration::from_millis(1);
    let outcomes = run(&clients, &policies(&["eu-west-1"])[0], &[source(1), source(2)], little).await;
    assert_eq!(outcomes, vec!["eu-west-1 deferred out-of-time"; 2]);
    assert_eq!(rule.num_calls(), 0);
}
