/// An enum of strings known on the wire, with an arm that keeps the others.
///
/// Written and read, by serde and on the wire, as the plain string.
macro_rules! string_enum {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$doc])* $variant,)*
            /// Something newer, kept as it came.
            Unknown(alloc::boxed::Box<str>),
        }

        impl $name {
            /// The value that this text names.
            pub fn parse(text: &str) -> Self {
                match text {
                    $($text => Self::$variant,)*
                    other => Self::Unknown(other.into()),
                }
            }

            /// The text on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Unknown(other) => other,
                }
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = alloc::boxed::Box::<str>::deserialize(deserializer)?;
                Ok(Self::parse(&text))
            }
        }

        impl $crate::json::FromJson for $name {
            fn from_json(json: $crate::json::JsonSlice<'_>) -> Option<Self> {
                json.string().map(|text| Self::parse(&text.decode()))
            }
        }

        impl $crate::json::ToJson for $name {
            fn write_json(&self, out: &mut alloc::string::String) {
                $crate::json::write_string(self.as_str(), out);
            }
        }
    };
}

pub(crate) use string_enum;
