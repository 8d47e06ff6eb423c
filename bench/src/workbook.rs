//! Generated workbooks: the same from the same seed, believable in size and content.

use anyhow::Result;
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};

/// Orders that the surveys are billed against.
pub const ORDERS: u32 = 2_000;
/// The survey sheet's columns: the template's six, and four that nobody asked for.
pub const COLUMNS: [&str; 10] = [
    "Survey number",
    "Order number",
    "Note",
    "Survey date",
    "Amount",
    "Surveyor",
    "Location",
    "Unit",
    "Quantity",
    "Rate",
];

const WORKS: [&str; 8] = [
    "Formwork",
    "Reinforcement",
    "Concrete pour",
    "Pipe laying",
    "Cable trays",
    "Road base",
    "Backfill",
    "Fencing",
];
const NAMES: [&str; 6] = [
    "A. Okafor",
    "L. Marín",
    "J. Novák",
    "S. Iyer",
    "M. Dubois",
    "K. Tanaka",
];
const UNITS: [&str; 4] = ["m", "m²", "m³", "t"];

/// A small generator (xorshift), so that a workbook depends on nothing but its seed.
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u32::try_from((self.0 >> 11) % u64::from(bound)).unwrap_or_default()
    }

    fn of<'list>(&mut self, list: &[&'list str]) -> &'list str {
        list[self.below(u32::try_from(list.len()).unwrap_or(1)) as usize]
    }

    fn date(&mut self) -> Result<ExcelDateTime> {
        let (year, month, day) = (2024 + self.below(2), 1 + self.below(12), 1 + self.below(28));
        Ok(ExcelDateTime::from_ymd(
            u16::try_from(year)?,
            u8::try_from(month)?,
            u8::try_from(day)?,
        )?)
    }
}

fn order_number(number: u32) -> String {
    format!("PO-{:07}", 1_700_000 + number)
}

/// A register of orders.
pub fn orders() -> Result<Vec<u8>> {
    let mut random = Seeded(0x7e4f_0a11);
    let mut workbook = Workbook::new();
    let day = Format::new().set_num_format("yyyy-mm-dd");
    let sheet = workbook.add_worksheet().set_name("Orders")?;
    let headings = [
        "Order number",
        "Description",
        "Supplier",
        "Project",
        "Currency",
        "Order value",
        "Start date",
        "Due date",
    ];
    for (column, heading) in (0..).zip(headings) {
        sheet.write(0, column, heading)?;
    }
    for row in 1..=ORDERS {
        let value = 400_000 + random.below(5_000_000);
        sheet
            .write(row, 0, order_number(row))?
            .write(row, 1, format!("{}, lot {}", random.of(&WORKS), random.below(40)))?
            .write(row, 2, format!("Supplier {:03} Ltd", random.below(150)))?
            .write(row, 3, format!("Project {:02}", random.below(30)))?
            .write(row, 4, "EUR")?
            .write(row, 5, f64::from(value))?
            .write_with_format(row, 6, &random.date()?, &day)?
            .write_with_format(row, 7, &ExcelDateTime::from_ymd(2026, 12, 31)?, &day)?;
    }
    Ok(workbook.save_to_buffer()?)
}

/// A register of surveys against these orders, under [`COLUMNS`].
pub fn surveys(rows: u32) -> Result<Vec<u8>> {
    let mut random = Seeded(0x51f0_77ed);
    let mut workbook = Workbook::new();
    let day = Format::new().set_num_format("yyyy-mm-dd");
    let sheet = workbook.add_worksheet().set_name("Surveys")?;
    for (column, heading) in (0..).zip(COLUMNS) {
        sheet.write(0, column, heading)?;
    }
    for row in 1..=rows {
        let (quantity, rate) = (1 + random.below(900), 500 + random.below(12_000));
        sheet
            .write(row, 0, format!("QS-{row:06}"))?
            .write(row, 1, order_number(1 + random.below(ORDERS)))?
            .write(
                row,
                2,
                format!("{}, bay {}", random.of(&WORKS), random.below(5_000)),
            )?
            .write_with_format(row, 3, &random.date()?, &day)?
            .write(row, 4, f64::from(quantity * rate) / 100.0)?
            .write(row, 5, random.of(&NAMES))?
            .write(row, 6, format!("Block {}", random.below(60)))?
            .write(row, 7, random.of(&UNITS))?
            .write(row, 8, f64::from(quantity))?
            .write(row, 9, f64::from(rate) / 100.0)?;
    }
    Ok(workbook.save_to_buffer()?)
}
