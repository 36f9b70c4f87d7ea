"""What the roles and the guardrails permit, asked of an IAM evaluator."""
