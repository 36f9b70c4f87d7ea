//! What a source account's key policy has to say: the statements of infra/sam/source-account.yaml.

use serde_json::{Value, json};

use crate::commands::iam::statement::Statement;

/// The statements that let `principal` (a target account's root, or its copying role) use the key for copies.
///
/// Source: EBS User Guide, "Share the KMS key used to encrypt a shared Amazon EBS snapshot".
pub(crate) fn statements(principal: &str) -> [Statement; 2] {
    let principal: Value = json!({ "AWS": principal });
    [
        Statement::allow(
            "UseByTheTargetAccount",
            "The target account reads what is encrypted under this key, to encrypt its copies under a key of its own.",
            &["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
            ["*"],
        )
        .to(principal.clone()),
        Statement::allow(
            "GrantsByTheTargetAccount",
            "The target account lets EC2, and only an AWS service, use this key for a copy that is under way.",
            &["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"],
            ["*"],
        )
        .to(principal)
        .when(json!({ "Bool": { "kms:GrantIsForAWSResource": "true" } })),
    ]
}
