//! Who may do what in purchasing.

tenon_sdk::permissions! {
    pub OrdersRead = "purchasing.orders.read", from Viewer, "See suppliers, purchase orders, their surveys and the board";
    pub OrdersImport = "purchasing.orders.import", from Manager, "Import purchase orders and surveys, and undo an import";
    pub AlertsRead = "purchasing.alerts.read", from Viewer, "See alerts about orders";
    pub AlertsAcknowledge = "purchasing.alerts.acknowledge", from Manager, "Acknowledge alerts about orders";
    pub SettingsUpdate = "purchasing.settings.update", from Admin, "Change the thresholds of the levels";
}
