/// An object on the wire as a table of its members: `field: optional Type = "wireName"`, or `required`.
///
/// Reading is total and loses nothing: a member that is null, has another shape or is not in the table stays raw in
/// `extra`; only a required member's absence makes it another thing (`None`). Writing gives back an equal object.
macro_rules! members {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $($(#[$doc:meta])* $field:ident: $mode:ident $type:ty = $wire:literal,)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        pub struct $name {
            $($(#[$doc])* pub $field: members!(@type $mode $type),)*
            /// Members not named here, or of another shape than expected.
            pub extra: $crate::Object,
        }

        impl $name {
            /// Writes the members into an object already begun.
            #[allow(dead_code, reason = "only parts of a tagged object are written into one already begun")]
            pub(crate) fn write_members(&self, writer: &mut $crate::json::ObjectWriter<'_>) {
                $(members!(@write $mode writer, $wire, self.$field);)*
                self.extra.write_members(writer);
            }

            /// Reads an object, but for the member that told its shape.
            pub(crate) fn read_part(json: $crate::json::JsonSlice<'_>, tag: Option<&str>) -> Option<Self> {
                $(let mut $field: Option<$crate::json::JsonSlice<'_>> = None;)*
                let mut others = $crate::json::Others::default();
                json.members(|key, value| match &*key.decode() {
                    $($wire => $field = Some(value),)*
                    name if Some(name) == tag => {}
                    _ => others.push(key, value),
                })?;
                $(let $field: Option<$type> = others.read_or_push($wire, $field);)*
                Some(Self {
                    $($field: members!(@give $mode $field),)*
                    extra: others.keep()?,
                })
            }
        }

        impl $crate::json::FromJson for $name {
            fn from_json(json: $crate::json::JsonSlice<'_>) -> Option<Self> {
                Self::read_part(json, None)
            }
        }

        impl $crate::json::ToJson for $name {
            fn write_json(&self, out: &mut alloc::string::String) {
                let mut writer = $crate::json::ObjectWriter::new(out);
                self.write_members(&mut writer);
                writer.finish();
            }
        }
    };
    (@type optional $type:ty) => { Option<$type> };
    (@type required $type:ty) => { $type };
    (@give optional $field:ident) => { $field };
    (@give required $field:ident) => { $field? };
    (@write optional $writer:ident, $wire:literal, $value:expr) => { $writer.optional($wire, $value.as_ref()) };
    (@write required $writer:ident, $wire:literal, $value:expr) => { $writer.member($wire, &$value) };
}

/// An object whose shape is told by one of its members, as a table of `Variant(Part) = "tag"`; `_ => Variant(Part)` is
/// the shape without the tag. Objects with another tag are kept whole.
macro_rules! tagged {
    (
        $(#[$meta:meta])*
        pub enum $name:ident by $tag:literal {
            $($(#[$doc:meta])* $variant:ident($part:ty) = $wire:literal,)*
            $(_ => $(#[$plain_doc:meta])* $plain:ident($plain_part:ty),)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$doc])* $variant($part),)*
            $($(#[$plain_doc])* $plain($plain_part),)?
            /// Another shape, kept whole.
            Unknown($crate::Object),
        }

        impl $crate::json::FromJson for $name {
            fn from_json(json: $crate::json::JsonSlice<'_>) -> Option<Self> {
                let tag = json.member($tag).filter(|tag| !tag.is_null());
                let text = tag.and_then($crate::json::JsonSlice::string).map($crate::json::RawText::decode);
                let known = match text.as_deref() {
                    $(Some($wire) => <$part>::read_part(json, Some($tag)).map(Self::$variant),)*
                    $(None if tag.is_none() => json.read().map(Self::$plain),)?
                    _ => None,
                };
                known.or_else(|| json.read().map(Self::Unknown))
            }
        }

        impl $crate::json::ToJson for $name {
            fn write_json(&self, out: &mut alloc::string::String) {
                let mut writer = $crate::json::ObjectWriter::new(out);
                match self {
                    $(Self::$variant(part) => {
                        writer.member($tag, $wire);
                        part.write_members(&mut writer);
                    })*
                    $(Self::$plain(part) => part.write_members(&mut writer),)?
                    Self::Unknown(object) => object.write_members(&mut writer),
                }
                writer.finish();
            }
        }
    };
}

pub(crate) use {members, tagged};
