use alloc::{boxed::Box, vec::Vec};

use crate::{members::members, string_enum::string_enum};

members! {
    /// Which calls wait for a person.
    #[derive(Default)]
    pub struct UserInterventionConfig {
        /// The rule.
        approval_mode: optional ApprovalMode = "approvalMode",
        /// The calls that need no approval, for the mode of that name.
        allow_list: optional Vec<Box<str>> = "allowList",
    }
}

string_enum! {
    /// The rule by which calls wait for a person.
    pub enum ApprovalMode {
        /// None does, but those that always must.
        AutoRun = "auto-run",
        /// All but those listed.
        AllowList = "allow-list",
        /// All.
        Manual = "manual",
        /// None: there is nobody to ask.
        Headless = "headless",
    }
}
