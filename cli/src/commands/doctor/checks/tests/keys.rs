//! The keys of the targets and of the snapshot.

use super::*;

/// A target without a key of its own: AWS's "vault under a default key".
#[test]
fn which_key_ec2_chooses() {
    const OWN: &str = "arn:aws:kms:sa-east-1:222222222222:key/0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f";
    let told = |encrypted: bool, by_default: bool, key: &str| {
        let target = format!(r#", {{"Target": "sa-east-1", "EncryptionConfiguration": {{"Encrypted": {encrypted}}}}}"#);
        let is_aws_managed = Some(key != OWN);
        let mut facts = facts();
        facts.defaults.insert(region("sa-east-1"), Ok(Defaults { by_default, key: key.to_owned(), is_aws_managed }));
        let found = checks(&facts, &policies(&target));
        let check = found.into_iter().find(|check| check.check == "target-key").unwrap();
        assert_eq!((check.verdict, check.remedy.is_some()), (Verdict::Unknown, true));
        check.message
    };
    for encrypted in [true, false] {
        // Off, and a default key is chosen: copies of encrypted snapshots are not under it.
        let off = told(encrypted, false, OWN);
        assert!(off.contains("copies of encrypted snapshots are under the AWS managed key aws/ebs"), "{off}");
        assert!(off.contains("never be shared"), "{off}");
        let plain = if encrypted { "unencrypted ones are under the account's default key" } else { "not encrypted" };
        assert!(off.contains(plain), "{off}");
        let on = told(encrypted, true, OWN);
        assert!(
            on.contains(&format!("copies are under the account's default key {OWN}")) && !on.contains("aws/ebs"),
            "{on}"
        );
        for by_default in [true, false] {
            let managed = told(encrypted, by_default, "alias/aws/ebs");
            assert!(managed.contains("under the AWS managed key aws/ebs"), "{managed}");
        }
    }
}

#[test]
fn target_keys() {
    use KeyProblem::{AccessDenied, AwsManaged, Disabled, NotFound, NotReady, NotSymmetric, OtherKey, PendingDeletion};
    let no_identity = "not authorized to perform: kms:DescribeKey because no identity-based policy allows it";
    let no_resource = "not authorized because no resource-based policy allows it";
    for (fact, found) in [
        (KeyFact::Unusable(Disabled), "Fail"),
        (KeyFact::Unusable(PendingDeletion), "Fail"),
        (KeyFact::Unusable(NotReady("Creating".to_owned())), "Fail"),
        (KeyFact::Unusable(NotFound(error("NotFoundException", ""))), "Fail"),
        (KeyFact::Unusable(AwsManaged), "Fail"),
        (KeyFact::Unusable(NotSymmetric("RSA_2048".to_owned())), "Fail"),
        (KeyFact::Unusable(OtherKey("x".to_owned())), "Fail"),
        (KeyFact::Unusable(AccessDenied(error("AccessDeniedException", no_resource))), "Fail"),
        (KeyFact::Unusable(AccessDenied(error("AccessDeniedException", no_identity))), "Unknown"),
        (KeyFact::Unread(error("Timeout", "")), "Unknown"),
    ] {
        assert_eq!(otherwise(|facts| facts.keys[0].fact = fact.clone()), [format!("{found} key {KEY}")], "{fact:?}");
    }
    // The copier's own role is told by the stack; what it may not, nobody else may for it.
    let denied = KeyFact::Unusable(AccessDenied(error("AccessDeniedException", no_identity)));
    let role = "arn:aws:sts::222222222222:assumed-role/snapferry-CopySharedSnapshotsRole-1A2B/session";
    let found = otherwise(|facts| (facts.keys[0].fact, facts.arn) = (denied, role.to_owned()));
    assert_eq!(found, [format!("Fail key {KEY}")]);
    assert_eq!(otherwise(|facts| facts.keys[0].region = region("sa-east-1")), [format!("Fail key {KEY}")]);
    let denied = error("AccessDeniedException", no_identity);
    let mut facts = facts();
    facts.keys[0].try_use = Err(denied);
    let found = checks(&facts, &policies(""));
    assert!(found.iter().any(|check| check.check == "key-use" && check.remedy.is_some() && check.error.is_some()));
}

/// Who governs a key can destroy every copy under it.
#[test]
fn the_keys_account() {
    let with = |account: &str| {
        let (arn, mut facts) = (KEY.replace("222222222222", account), facts());
        facts.keys[0].key = KeyArn::parse(&arn).unwrap();
        let found = checks(&facts, &policies(""));
        let check = found.into_iter().find(|check| check.check == "key-account").unwrap();
        assert_eq!((check.subject, check.remedy.is_some()), (arn, check.verdict != Verdict::Pass));
        (check.verdict, check.message)
    };
    assert_eq!(with("222222222222"), (Verdict::Pass, "it belongs to this account".to_owned()));
    let of_source = "it belongs to the source account 111111111111, which could destroy every copy with it".to_owned();
    assert_eq!(with("111111111111"), (Verdict::Fail, of_source));
    assert_eq!(with("333333333333").0, Verdict::Unknown);
}

#[test]
fn the_snapshots_key() {
    let key = |fact: KeyFact| {
        otherwise(|facts| facts.source.as_mut().unwrap().key = Some((SOURCE_KEY.to_owned(), Some(fact))))
    };
    let denied = |message| KeyFact::Unusable(KeyProblem::AccessDenied(error("AccessDeniedException", message)));
    let fail = [format!("Fail source-key {SOURCE_KEY}")];
    assert_eq!(key(denied("no resource-based policies allow access")), fail);
    assert_eq!(key(denied("no identity-based policy allows it")), [format!("Unknown source-key {SOURCE_KEY}")]);
    assert_eq!(key(KeyFact::Unusable(KeyProblem::AwsManaged)), fail);
    assert_eq!(key(KeyFact::Unusable(KeyProblem::Disabled)), fail);
    assert_eq!(key(KeyFact::Unusable(KeyProblem::NotFound(error("NotFoundException", "")))), fail);
    let none = |encrypted| {
        otherwise(|facts| {
            let source = facts.source.as_mut().unwrap();
            (source.key, source.seen) = (None, Ok(Some(SourceSnapshot { encrypted, ..snapshot() })));
        })
    };
    assert_eq!(none(false), Vec::<String>::new());
    assert_eq!(none(true), ["Unknown source-key snap-01234567"]);
}
