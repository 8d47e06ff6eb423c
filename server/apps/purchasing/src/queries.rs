//! The statements of purchasing, one file each. A test prepares every one of them.

macro_rules! statements {
    ($($name:ident = $file:literal;)*) => {
        $(pub const $name: &str = include_str!(concat!("queries/", $file));)*

        /// Every statement with its file's name.
        #[cfg(test)]
        pub const ALL: &[(&str, &str)] = &[$(($file, $name)),*];
    };
}

statements! {
    ACKNOWLEDGE_ALERT = "acknowledge_alert.sql";
    ADD_BILLING = "add_billing.sql";
    ADD_MONTHS = "add_months.sql";
    ADD_SUPPLIERS = "add_suppliers.sql";
    ALERT_FOR_UPDATE = "alert_for_update.sql";
    BILLED_BY_IMPORT = "billed_by_import.sql";
    BOARD = "board.sql";
    BUMP_REVISION = "bump_revision.sql";
    CLOSE_ALERTS = "close_alerts.sql";
    DEMO_ALERTS = "demo_alerts.sql";
    DEMO_ENTRIES = "demo_entries.sql";
    DEMO_ORDERS = "demo_orders.sql";
    FORGET_PLANS = "forget_plans.sql";
    IMPORT_DEPENDANTS = "import_dependants.sql";
    IMPORT_ENTRIES = "import_entries.sql";
    IMPORT_LEVELS = "import_levels.sql";
    IMPORT_ORDERS = "import_orders.sql";
    KNOWN_ENTRIES = "known_entries.sql";
    KNOWN_ORDERS = "known_orders.sql";
    MOVE_LEVEL = "move_level.sql";
    NEW_SUPPLIERS = "new_suppliers.sql";
    OPEN_ALERTS = "open_alerts.sql";
    ORDER_IDS = "order_ids.sql";
    ORDERS_OF_IMPORT = "orders_of_import.sql";
    PLAN_MODE = "plan_mode.sql";
    POST_BILLING = "post_billing.sql";
    REBUILD_MONTHS = "rebuild_months.sql";
    REVISION = "revision.sql";
    SET_THRESHOLDS = "set_thresholds.sql";
    STANDINGS = "standings.sql";
    STANDINGS_OF = "standings_of.sql";
    THRESHOLDS = "thresholds.sql";
    UNDO_ALERTS = "undo_alerts.sql";
    UNDO_ENTRIES = "undo_entries.sql";
    UNDO_ORDERS = "undo_orders.sql";
    UNDO_SUPPLIERS = "undo_suppliers.sql";
}

#[cfg(test)]
mod tests {
    use super::ALL;

    #[test]
    fn every_file_of_the_folder_is_a_statement_here() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/queries");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        assert_eq!(
            files,
            ALL.iter().map(|(file, _)| (*file).to_owned()).collect::<Vec<_>>()
        );
    }

    #[test]
    fn every_table_a_statement_touches_is_held_to_the_organisation() {
        for (file, sql) in ALL {
            let count = |part: &str| sql.matches(part).count();
            let read: usize = [
                "from purchasing.",
                "join purchasing.",
                "using purchasing.",
                "update purchasing.",
            ]
            .map(count)
            .iter()
            .sum();
            assert!(count("org_id = $1") >= read, "{file}");
            if sql.contains("insert into") {
                assert!(sql.contains("select $1,") || sql.contains("values ($1"), "{file}");
            }
        }
    }
}
