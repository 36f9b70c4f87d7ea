use serde_json::json;

use super::*;
use crate::commands::key_policy::statements::statements;

const ROLE: &str = "arn:aws:iam::222222222222:role/copier";

fn found(statement: Value, role: Option<&str>) -> Vec<String> {
    let target = AccountId::parse("222222222222").unwrap();
    let statements = statements("aws", &target, role).unwrap();
    let document = json!({"Version": "2012-10-17", "Statement": statement}).to_string();
    warnings(&document, &Ours { statements: &statements, target: &target, role, partition: "aws" })
}

/// A Deny of all to all, with some members instead.
fn deny(members: Value) -> Value {
    let mut statement = json!({"Sid": "No", "Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*"});
    let object = statement.as_object_mut().unwrap();
    for (name, value) in members.as_object().unwrap() {
        if let Some(plain) = name.strip_prefix("Not") {
            object.remove(plain);
        }
        object.insert(name.clone(), value.clone());
    }
    statement
}

#[test]
fn what_may_hit_is_named() {
    for members in [
        json!({}),
        json!({"Action": "*"}),
        json!({"Action": ["kms:ScheduleKeyDeletion", "KMS:decrypt"]}),
        json!({"Action": "kms:GenerateDataKeyWithout*"}),
        json!({"Action": "kms:?ncrypt"}),
        json!({"NotAction": ["kms:Decrypt", "kms:Describe*"]}),
        json!({"NotAction": "kms:GenerateDataKey?"}),
        json!({"Resource": "arn:aws:kms:eu-west-1:111111111111:key/1234"}),
        json!({"Principal": {"AWS": "*"}}),
        json!({"Principal": {"AWS": ["111111111111", "222222222222"]}}),
        json!({"Principal": {"AWS": "arn:aws:iam::222222222222:root"}}),
        json!({"Principal": {"AWS": "arn:aws:sts::222222222222:assumed-role/copier/x"}}),
        json!({"NotPrincipal": {"AWS": ["arn:aws:iam::222222222222:root", ROLE]}}),
        json!({"Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}}),
        json!({"Condition": {"StringNotEquals": {"kms:CallerAccount": ["111111111111"]}}}),
        json!({"Condition": {"StringNotLike": {"kms:CallerAccount": "222222222221*"}}}),
        json!({"Condition": {"StringLike": {"kms:CallerAccount": "2222*"}}}),
        json!({"Condition": {"Bool": {"aws:SecureTransport": ["true", "false"]}}}),
        json!({"Condition": {"Bool": {"kms:GrantIsForAWSResource": "false"}}}),
    ] {
        let warnings = found(deny(members.clone()), Some(ROLE));
        assert_eq!(warnings.len(), 1, "{members}");
        assert!(warnings[0].starts_with("the key policy's statement No is a Deny that may hit what "), "{warnings:?}");
    }
    let grants = found(json!([{"Effect": "Allow"}, deny(json!({"Sid": null, "Action": "kms:CreateGrant"}))]), None);
    assert_eq!(
        grants,
        [
            "the key policy's statement 2 is a Deny that may hit what GrantsByTheTargetAccount allows; except 222222222222 from it, \
          or see that its conditions do"
        ]
    );
}

#[test]
fn what_cannot_hit_is_passed_over() {
    for members in [
        json!({"Effect": "Allow"}),
        json!({"Action": ["kms:ScheduleKeyDeletion", "kms:Put*", "kms:?ecrypts"]}),
        json!({"NotAction": "kms:*"}),
        json!({"NotAction": ["kms:D*", "kms:*crypt*", "kms:GenerateDataKey*", "kms:*Grant*"]}),
        json!({"NotResource": "*"}),
        json!({"Principal": {"AWS": "arn:aws:iam::111111111111:root"}}),
        json!({"Principal": {"AWS": "arn:aws:iam::222222222222:role/other"}}),
        json!({"Principal": {"Service": "ec2.amazonaws.com"}}),
        json!({"Condition": {"StringNotEquals": {"kms:CallerAccount": ["111111111111", "222222222222"]}}}),
        json!({"Condition": {"StringNotLike": {"aws:PrincipalAccount": "2222*"}}}),
        json!({"Condition": {"StringEqualsIfExists": {"KMS:CallerAccount": "111111111111"}}}),
        json!({"Condition": {"Bool": {"aws:SecureTransport": false}}}),
        json!({"Action": "kms:CreateGrant", "Condition": {"Bool": {"kms:GrantIsForAWSResource": false}}}),
    ] {
        assert_eq!(found(deny(members.clone()), Some(ROLE)), [""; 0], "{members}");
    }
    // Without a role, the target account may choose any.
    assert_eq!(found(deny(json!({"Principal": {"AWS": "arn:aws:iam::222222222222:role/other"}})), None).len(), 1);
}

#[test]
fn principals_of_another_partition_are_named() {
    let allow = |principal: Value| json!({"Sid": "Root", "Effect": "Allow", "Principal": principal, "Action": "kms:*"});
    let warnings = found(allow(json!({"AWS": ["arn:aws:iam::1:root", "arn:aws-cn:iam::1:root"]})), None);
    assert_eq!(
        warnings,
        [
            "the key policy's statement Root names arn:aws-cn:iam::1:root, which is not in the partition aws of the policy's Targets: \
          no key serves two partitions; take the key policy of a key in aws"
        ]
    );
    assert_eq!(found(allow(json!({"AWS": "arn:aws:iam::1:root"})), None), [""; 0]);
    assert_eq!(found(allow(json!("*")), None), [""; 0]);
}
