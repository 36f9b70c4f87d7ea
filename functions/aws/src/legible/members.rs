//! Members of EC2's items that have a type, of which the SDK would not read a page with one that is none of it.

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use aws_smithy_types::primitive::Parse;

/// A member's type.
#[derive(Clone, Copy)]
enum Type {
    Time,
    Int,
    Long,
    Bool,
}

/// The members of a snapshot and of a lock that have a type (EC2 API reference, Snapshot and LockedSnapshotsInfo).
const MEMBERS: [(&str, Type); 13] = [
    ("startTime", Type::Time),
    ("completionTime", Type::Time),
    ("restoreExpiryTime", Type::Time),
    ("lockCreatedOn", Type::Time),
    ("lockDurationStartTime", Type::Time),
    ("lockExpiresOn", Type::Time),
    ("coolOffPeriodExpiresOn", Type::Time),
    ("volumeSize", Type::Int),
    ("completionDurationMinutes", Type::Int),
    ("lockDuration", Type::Int),
    ("coolOffPeriod", Type::Int),
    ("fullSnapshotSizeInBytes", Type::Long),
    ("encrypted", Type::Bool),
];

/// The text without those members that are not of their type; nothing where all are.
pub(super) fn without_unreadable(text: &str) -> Option<String> {
    let (mut out, mut rest) = (String::new(), text);
    let mut is_changed = false;
    while let Some((before, behind)) = rest.find('<').and_then(|at| rest.split_at_checked(at)) {
        out.push_str(before);
        rest = match unreadable(behind) {
            Some(length) => {
                is_changed = true;
                behind.get(length..)?
            }
            None => {
                out.push('<');
                behind.get(1..)?
            }
        };
    }
    out.push_str(rest);
    is_changed.then_some(out)
}

/// How long the element is that `text` begins with, if it is such a member and not of its type.
fn unreadable(text: &str) -> Option<usize> {
    let (tag, behind) = text.strip_prefix('<')?.split_once('>')?;
    let name = tag.trim_end_matches('/').trim_end();
    let (_, expected) = MEMBERS.iter().find(|(member, _)| *member == name)?;
    let opened = tag.len() + "<>".len();
    if tag.ends_with('/') {
        return Some(opened);
    }
    let (content, closing) = behind.split_once("</")?;
    let (closed, _) = closing.split_once('>')?;
    let is_whole = closed.trim_end() == name && !expected.is_of(content);
    is_whole.then(|| opened + content.len() + "</>".len() + closed.len())
}

impl Type {
    /// Whether the SDK reads the text as one.
    fn is_of(self, text: &str) -> bool {
        let text = text.trim();
        match self {
            Self::Time => DateTime::from_str(text, Format::DateTimeWithOffset).is_ok(),
            Self::Int => i32::parse_smithy_primitive(text).is_ok(),
            Self::Long => i64::parse_smithy_primitive(text).is_ok(),
            Self::Bool => bool::parse_smithy_primitive(text).is_ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_member_that_is_not_of_its_type_is_left_out() {
        for (text, expected) in [
            ("<startTime>2026-11-22T03:00:00.000Z</startTime><volumeSize>8</volumeSize>", None),
            ("<startTime>2026-11-22T04:00:00+01:00</startTime><encrypted>true</encrypted>", None),
            ("<a><startTime>2026-02-30T00:00:00Z</startTime></a>", Some("<a></a>")),
            ("<a><startTime/><startTime /><startTime></startTime ></a>", Some("<a></a>")),
            (
                "<a><volumeSize>8.5</volumeSize><lockDuration>9</lockDuration></a>",
                Some("<a><lockDuration>9</lockDuration></a>"),
            ),
            (
                "<encrypted>yes</encrypted>é<fullSnapshotSizeInBytes>99999999999999999999</fullSnapshotSizeInBytes>",
                Some("é"),
            ),
            ("<a><startTime><b/></startTime></a>", Some("<a></a>")),
            // What is no such member, and what is no XML, stays for the SDK to judge.
            ("<startTimes>x</startTimes><status>8.5</status><description>&lt;startTime&gt;</description>", None),
            ("<startTime><b/><startTime>x", None),
            ("<startTime>x</volumeSize><", None),
            ("", None),
        ] {
            assert_eq!(without_unreadable(text).as_deref(), expected, "{text}");
        }
    }
}
