//! The Region that an event names.

use serde_json::Value;

use crate::ids::Region;

/// The Region of an event, as its member `region` says, or else the ARN: in one of its layouts the Region stands a place later.
pub(super) fn region_of(event: &Value, arn: Option<&str>) -> Option<Region> {
    let named = event.get("region").and_then(Value::as_str);
    let places = arn.into_iter().flat_map(|arn| arn.split(':').skip(3).take(2));
    named.into_iter().chain(places).find_map(|region| Region::parse(region).ok())
}
