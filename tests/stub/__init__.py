"""EC2, KMS, STS and DynamoDB from memory, of any size: a process in Rust (`src`), and what tests say to it."""
