//! What a table of reasons makes: an enum of the events, an enum for each event's reasons, and the enum of all reasons.

/// What follows from a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// All is as it should be.
    Nothing,
    /// It comes right by itself, in these words; somebody looks only when it goes on.
    Itself(&'static str),
    /// Somebody has to do this about it.
    Somebody(&'static str),
}

impl Next {
    /// The words, where there are any.
    #[must_use]
    pub fn words(self) -> Option<&'static str> {
        match self {
            Self::Nothing => None,
            Self::Itself(words) | Self::Somebody(words) => Some(words),
        }
    }
}

/// Each event as `Type "name" "meaning" { … }`, and in it each reason as `Variant "name" "meaning" Next;`.
macro_rules! reasons {
    ($($event:ident $said:literal $what:literal {
        $($reason:ident $name:literal $meaning:literal $next:expr;)+
    })+) => {
        /// What happened.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Event {
            $(#[doc = $what] $event,)+
        }

        impl Event {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$event),+];

            /// As the audit's lines have it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$event => $said,)+
                }
            }

            /// What it means.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$event => $what,)+
                }
            }
        }

        /// Why: a reason of one of the events. It is serialized as the two members `event` and `reason`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason {
            $(#[doc = $what] $event($event),)+
        }

        impl Reason {
            /// All of them, grouped by event.
            pub const ALL: &'static [Self] = &[$($(Self::$event($event::$reason),)+)+];

            /// The event that it is a reason of.
            #[must_use]
            pub fn event(self) -> Event {
                match self {
                    $(Self::$event(_) => Event::$event,)+
                }
            }

            /// As the audit's lines have it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$event(reason) => reason.name(),)+
                }
            }

            /// What it means.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self {
                    $($(Self::$event($event::$reason) => $meaning,)+)+
                }
            }

            /// What follows from it.
            #[must_use]
            pub fn next(self) -> Next {
                match self {
                    $($(Self::$event($event::$reason) => $next,)+)+
                }
            }
        }

        $(
            #[doc = concat!("The reasons of `", $said, "`. ", $what)]
            #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub enum $event {
                $(#[doc = $meaning] $reason,)+
            }

            impl $event {
                /// As the audit's lines have it.
                #[must_use]
                pub fn name(self) -> &'static str {
                    match self {
                        $(Self::$reason => $name,)+
                    }
                }
            }

            impl From<$event> for Reason {
                fn from(reason: $event) -> Self {
                    Self::$event(reason)
                }
            }

            impl fmt::Display for $event {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.pad(self.name())
                }
            }

            impl Serialize for $event {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.serialize_str(self.name())
                }
            }

            impl<'de> Deserialize<'de> for $event {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    match CompactString::deserialize(deserializer)?.as_str() {
                        $($name => Ok(Self::$reason),)+
                        _ => Err(de::Error::custom(concat!("a reason of ", $said, " expected"))),
                    }
                }
            }
        )+
    };
}
pub(super) use reasons;
