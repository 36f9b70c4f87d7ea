//! What is said of the parts of a stack.

use crate::commands::doctor::facts::Part;

/// The remedy for what is not as the template makes it.
pub(super) const DEPLOY: &str = "Somebody changed what the stack had made: deploy it again.";

/// What does not happen without a part.
pub(super) fn what_stops(part: Part) -> &'static str {
    match part {
        Part::SweepTimer => "what events miss is never copied",
        Part::ServeTimer => "what stands in line waits for the next event or sweep",
        Part::CopySharedSnapshots => "nothing is copied",
        Part::VerifyTimer | Part::VerifyCopies => "no copy is verified or locked",
        Part::ProveTimer | Part::ProveCopies => "no copy's content is proven",
        _ => "no copy expires",
    }
}
