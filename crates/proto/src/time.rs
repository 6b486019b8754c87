//! Conversion of times to and from protobuf.

use chrono::{DateTime, Utc};
use prost_types::Timestamp;

/// A time for a message.
pub fn to_proto(time: DateTime<Utc>) -> Option<Timestamp> {
    let nanos = i32::try_from(time.timestamp_subsec_nanos()).unwrap_or(0);
    Some(Timestamp { seconds: time.timestamp(), nanos })
}

/// A time that may be missing, for a message.
pub fn opt_to_proto(time: Option<DateTime<Utc>>) -> Option<Timestamp> {
    time.and_then(to_proto)
}

/// A time from a message.
pub fn from_proto(time: Option<Timestamp>) -> Option<DateTime<Utc>> {
    let time = time?;
    DateTime::from_timestamp(time.seconds, u32::try_from(time.nanos).ok()?)
}
