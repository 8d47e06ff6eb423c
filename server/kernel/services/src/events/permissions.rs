//! Who may see and mend what consumers of events could not handle.

tenon_sdk::permissions! {
    pub ConsumersRead = "events.consumers.read", from Admin, "See how far the server has come with what has happened, and what it could not handle";
    pub ConsumersManage = "events.consumers.manage", from Admin, "Have events that were put aside tried again, or drop them";
}
