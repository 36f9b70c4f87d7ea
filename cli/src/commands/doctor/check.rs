//! One check: what was looked at, how it is, and what to do.

use serde::Serialize;
use snapferry_core::ebs::reads::after_unread;
use snapferry_core::facts::CallError;

/// How it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    /// As it should be.
    Pass,
    /// Not as it should be.
    Fail,
    /// It cannot be seen from here, or was not looked at.
    Unknown,
}

/// One line of the report. This is its form in `--json`, too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Check {
    /// The check's name.
    pub(crate) check: &'static str,
    /// Which home's stack it is about, where several were looked at and it is not so in each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) home: Option<String>,
    /// What it is about: a Region, a key, a part of the stack.
    pub(crate) subject: String,
    pub(crate) verdict: Verdict,
    pub(crate) message: String,
    /// What the operator does next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) remedy: Option<String>,
    /// The service's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<ServiceError>,
}

/// A service's own words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServiceError {
    pub(crate) code: String,
    pub(crate) message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) request_id: Option<String>,
}

/// The next sweep and the functions' roles are the functions' affair: here somebody repeats the command, with credentials of his own.
fn unread_remedy(code: &str) -> String {
    // SNS calls it AuthorizationError.
    if ["AccessDenied", "Unauthorized", "AuthorizationError"].iter().any(|denied| code.contains(denied)) {
        return "These credentials may not read it: give them the permission that cli/README.md names, or use others that have it."
            .to_owned();
    }
    let next = after_unread(code).strip_suffix("The next sweep looks again.").unwrap_or_default();
    format!("{next}Repeat with credentials that may read it, or later.")
}

impl Check {
    /// As it should be.
    pub(crate) fn pass(check: &'static str, subject: impl ToString, message: impl Into<String>) -> Self {
        let subject = subject.to_string();
        Self { check, home: None, subject, verdict: Verdict::Pass, message: message.into(), remedy: None, error: None }
    }

    /// Not as it should be.
    pub(crate) fn fail(check: &'static str, subject: impl ToString, message: impl Into<String>) -> Self {
        Self { verdict: Verdict::Fail, ..Self::pass(check, subject, message) }
    }

    /// Not to be seen from here.
    pub(crate) fn unknown(check: &'static str, subject: impl ToString, message: impl Into<String>) -> Self {
        Self { verdict: Verdict::Unknown, ..Self::pass(check, subject, message) }
    }

    /// Not read, because a call failed.
    pub(crate) fn unread(check: &'static str, subject: impl ToString, error: &CallError) -> Self {
        Self::unknown(check, subject, "could not be read").because(error).remedy(unread_remedy(&error.code))
    }

    /// With what to do.
    pub(crate) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// With the service's words.
    pub(crate) fn because(mut self, error: &CallError) -> Self {
        let CallError { code, message, request_id } = error.clone();
        self.error = Some(ServiceError { code, message, request_id });
        self
    }
}

/// Whether a service says that what it was asked about is not there.
pub(crate) fn is_gone(error: &CallError) -> bool {
    error.code.contains("ResourceNotFound")
        || error.code.contains("NonExistentQueue")
        || error.code.contains("QueueDoesNotExist")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_the_callers_own() {
        let remedy = |code: &str| unread_remedy(code);
        for code in ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"] {
            assert!(remedy(code).starts_with("These credentials may not read it"), "{code}");
        }
        assert!(remedy("AuthFailure").starts_with("Enable the Region"));
        assert_eq!(remedy("Throttling"), "Repeat with credentials that may read it, or later.");
    }
}
