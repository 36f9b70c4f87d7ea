//! What somebody runs to put a stack right.

use std::fmt::Display;

use crate::commands::doctor::facts::Stack;

/// A command of the AWS CLI in the stack's Region, such as `events enable-rule`.
pub(super) fn command(stack: &Stack, operation: &str, rest: impl Display) -> String {
    format!("`aws {operation} --region {} {rest}`", stack.region)
}
