//! What is to be done about reads that failed (EC2 API reference, "Error codes").

/// What somebody does about a read that failed, and when it is repeated.
#[must_use]
pub fn after_unread(code: &str) -> &'static str {
    match code {
        "UnauthorizedOperation" | "AccessDenied" | "AccessDeniedException" => {
            "Let the role read it: compare its policy and the SCPs with the template's. The next sweep looks again."
        }
        "AuthFailure" | "OptInRequired" | "InvalidRegion" => {
            "Enable the Region in this account, and let its SCPs allow it. The next sweep looks again."
        }
        "ExpiredToken"
        | "ExpiredTokenException"
        | "RequestExpired"
        | "InvalidClientTokenId"
        | "IncompleteSignature"
        | "UnrecognizedClientException"
        | "SignatureDoesNotMatch"
        | "MissingAuthenticationToken"
        | "NotSent" => "Check the credentials, the clock and the configured endpoint. The next sweep looks again.",
        "Timeout" | "ConnectionFailed" => {
            "If it stays so, look at the AWS Health Dashboard and at the way to the endpoint. The next sweep looks again."
        }
        "UnreadableAnswer" => "If it stays so, report it with this record. The next sweep looks again.",
        _ => "The next sweep looks again.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_that_failed_names_what_to_do_and_when_it_is_repeated() {
        for (code, words) in [
            ("UnauthorizedOperation", "Let the role read it"),
            ("AuthFailure", "Enable the Region"),
            ("RequestExpired", "Check the credentials"),
            ("NotSent", "Check the credentials"),
            ("Timeout", "AWS Health Dashboard"),
            ("UnreadableAnswer", "report it"),
            ("InternalError", "The next sweep"),
        ] {
            let next = after_unread(code);
            assert!(next.starts_with(words) || next.contains(words), "{code}: {next}");
            assert!(next.ends_with("The next sweep looks again."), "{code}: {next}");
        }
    }
}
