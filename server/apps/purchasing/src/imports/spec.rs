//! The sheets and columns of the register, and the names they go by in the wild.

mod orders;
mod surveys;

use tenon_sdk::imports::{SheetSpec, TemplateSpec};
use tenon_sdk::permission::Permission;

use crate::permissions::OrdersImport;

/// Key of the orders sheet.
pub const ORDERS: &str = "orders";
/// Key of the surveys sheet.
pub const SURVEYS: &str = "surveys";

pub const REGISTER: TemplateSpec = TemplateSpec {
    name: "purchasing.register",
    title: "Purchase orders and surveys",
    description: "A register of purchase orders and the quantity surveys billed against them. Either sheet may be left out.",
    permission: OrdersImport::DEF.name,
    sheets: &[
        SheetSpec {
            key: ORDERS,
            title: "Purchase orders",
            names: &[
                "Orders",
                "Purchase order register",
                "PO register",
                "PO list",
                "POs",
                "PO",
                "Order book",
                "Commitments",
                "Bestellungen",
                "Commandes",
                "Pedidos",
                "Ordini",
            ],
            fields: orders::FIELDS,
        },
        SheetSpec {
            key: SURVEYS,
            title: "Quantity surveys",
            names: &[
                "Surveys",
                "QS register",
                "QS",
                "QS entries",
                "Survey register",
                "Valuations",
                "Valuation register",
                "Interim valuations",
                "Applications",
                "Billing",
                "Aufmaße",
                "Leistungsmeldungen",
                "Situations",
                "Mediciones",
                "Certificaciones",
            ],
            fields: surveys::FIELDS,
        },
    ],
};

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::REGISTER;

    #[test]
    fn no_heading_names_two_columns_of_one_sheet() {
        for sheet in REGISTER.sheets {
            let mut seen = HashSet::new();
            for field in sheet.fields {
                for name in std::iter::once(&field.label).chain(field.synonyms) {
                    assert!(seen.insert(name.to_lowercase()), "{}: {name}", sheet.key);
                }
            }
        }
    }

    #[test]
    fn no_name_fits_both_sheets() {
        let mut seen = HashSet::new();
        for sheet in REGISTER.sheets {
            for name in std::iter::once(&sheet.title).chain(sheet.names) {
                assert!(seen.insert(name.to_lowercase()), "{name}");
            }
        }
    }
}
