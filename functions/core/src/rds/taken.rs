//! What a taken name leads to.

use super::described::Own;
use super::held::{Held, judge};
use super::request::CopyRequest;
use crate::audit::CopyFailed;
use crate::copying::{CopyError, CopyFailure};
use crate::facts::CallError;
use crate::ids::SnapshotId;

const REMEDY: &str = "Something that is not this copy has its name: error names it. Find out what it is; Snapferry does not touch it. \
                      Once it is deleted or its tags are restored, the copy is asked for again.";

/// What becomes of a request whose name is taken, as RDS `said`, by the look at the `holder`: the copy that was asked for before
/// answers it.
///
/// # Errors
/// [`CopyError`] where something else has the name, and where nobody can say who: what is asked for again later is the same copy. RDS did
/// answer, so its Region goes on, unless the look itself was not answered.
pub fn name_taken(
    request: &CopyRequest<'_>,
    said: CallError,
    holder: Result<Option<Own>, CallError>,
) -> Result<SnapshotId, CopyError> {
    let (name, region) = (request.name(), &request.target.region);
    let (failure, message) = match holder.map(|holder| holder.map(|holder| judge(&request.asked(), &holder))) {
        Ok(Some(Held::Ours)) => return Ok(name.id()),
        Ok(Some(Held::OursUnusable)) => (
            CopyFailure::Ambiguous,
            format!("{name} in {region} is a copy that came to nothing, and was not shown before"),
        ),
        Ok(Some(Held::Taken(differs))) => {
            let failure = CopyFailure::Refused { reason: CopyFailed::NameTaken, remedy: REMEDY };
            (failure, format!("{name} in {region} {}", differs.clause()))
        }
        Ok(None) => (CopyFailure::Ambiguous, format!("RDS says that {name} exists in {region}, and does not show it")),
        Err(error) => return Err(CopyError { failure: CopyFailure::Ambiguous, error }),
    };
    let error = CallError { code: "NameTaken".to_owned(), message, request_id: said.request_id };
    Err(CopyError { failure, error })
}
