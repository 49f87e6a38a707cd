//! The version of the form in which a state is stored.

use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Stored first, so that a state in another form is refused for that, and not for whatever member it has or lacks. Takes no
/// room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Version;

impl Version {
    /// Raised whenever a state stored before could be read as another one, or not at all.
    const CURRENT: u64 = 4;
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(Self::CURRENT)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = Version;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(
                    formatter,
                    "the version of a stored state, {}",
                    Version::CURRENT
                )
            }

            fn visit_u64<E: de::Error>(self, version: u64) -> Result<Version, E> {
                if version == Version::CURRENT {
                    return Ok(Version);
                }
                Err(E::custom(format_args!(
                    "the state has version {version}; this program reads version {}",
                    Version::CURRENT
                )))
            }
        }

        deserializer.deserialize_u64(Visitor)
    }
}
