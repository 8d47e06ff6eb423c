//! Who may look into the trail. Nobody may change it.

tenon_sdk::permissions! {
    pub EntriesRead = "audit.entries.read", from Admin, "See what was done in the organisation, and by whom";
    pub EntriesExport = "audit.entries.export", from Admin, "Take the organisation's trail out as a file";
}
