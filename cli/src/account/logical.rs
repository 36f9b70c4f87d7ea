//! Logical IDs, which differ between the stacks of the template and of the CDK construct.

/// Whether `id` is what infra/sam/template.yaml calls `name`: CDK puts the construct's path before a logical ID and a
/// hash of eight digits behind it.
pub(crate) fn is_called(id: &str, name: &str) -> bool {
    let is_hash = |end: &str| end.bytes().all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(&b));
    let cdk = id.len().checked_sub(8).and_then(|at| id.split_at_checked(at));
    id == name || cdk.is_some_and(|(path, end)| is_hash(end) && path.ends_with(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_of_the_construct() {
        let synthesized = include_str!("../../../infra/cdk/test/snapshots/vault.json");
        let template: serde_json::Value = serde_json::from_str(synthesized).unwrap();
        let outputs: Vec<&String> = template["Outputs"].as_object().unwrap().keys().collect();
        for name in ["CopierQueueUrl", "CopierDeadLetterQueueUrl", "UndeliveredQueueUrl", "CopySharedSnapshotsRoleArn"]
        {
            assert_eq!(outputs.iter().filter(|id| is_called(id, name)).count(), 1, "{name} of {outputs:?}");
        }
    }

    #[test]
    fn what_is_called_otherwise() {
        for id in ["CopierQueueUrl2", "VaultCopierQueueUrl", "VaultCopierQueueUrlc9cb818b", "äC9CB818B", "C9CB818B", ""]
        {
            assert!(!is_called(id, "CopierQueueUrl"), "{id}");
        }
    }
}
