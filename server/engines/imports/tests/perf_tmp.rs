#[path = "it/support.rs"]
mod support;
use std::time::Instant;
use calamine::Reader;
use support::*;
#[test]
fn perf() {
    let mut book = rust_xlsxwriter::Workbook::new();
    let s = book.add_worksheet();
    s.set_name("QS Register").unwrap();
    for (c, h) in ["QS #","Purchase Order","Note","Survey Date","Total","Surveyor","Qty","Rate","Unit","Ref"].iter().enumerate() { s.write_string(3, c as u16, *h).unwrap(); }
    let df = rust_xlsxwriter::Format::new().set_num_format("yyyy-mm-dd");
    for r in 0..100_000u32 {
        let row = r + 4;
        s.write_string(row, 0, format!("QS-{r:06}")).unwrap();
        s.write_string(row, 1, format!("PO-{:06}", r % 2000)).unwrap();
        s.write_string(row, 2, format!("Valuation {}", r % 12)).unwrap();
        s.write_number_with_format(row, 3, f64::from(45000 + r % 900), &df).unwrap();
        s.write_number(row, 4, f64::from(r * 37 % 1_000_003) / 100.0).unwrap();
        s.write_string(row, 5, ["P. Achebe", "J. Ortiz", "M. Lindqvist"][r as usize % 3]).unwrap();
        s.write_number(row, 6, f64::from(r % 97)).unwrap();
        s.write_number(row, 7, f64::from(r % 1009) / 10.0).unwrap();
        s.write_string(row, 8, "m3").unwrap();
        s.write_string(row, 9, format!("R{}", r % 500)).unwrap();
    }
    let bytes = book.save_to_buffer().unwrap();
    println!("{} bytes", bytes.len());
    for _ in 0..4 {
        let t = Instant::now();
        let mut x: calamine::Xlsx<_> = calamine::Xlsx::new(std::io::Cursor::new(&bytes)).unwrap();
        let mut n = 0u64;
        { let mut r = x.worksheet_cells_reader("QS Register").unwrap(); while let Some(c) = r.next_cell().unwrap() { if !matches!(c.get_value(), calamine::DataRef::Empty) { n += 1; } } }
        let base = t.elapsed(); let t = Instant::now(); let _x: calamine::Xlsx<_> = calamine::Xlsx::new(std::io::Cursor::new(&bytes)).unwrap(); let bopen = t.elapsed();
        let t = Instant::now();
        let mut wb = open_bytes("x.xlsx", bytes.clone()).unwrap();
        let open = t.elapsed();
        let t1 = Instant::now();
        let mut k = 0u64;
        wb.for_each_row(0, |_, c| { k += c.len() as u64; std::ops::ControlFlow::Continue(()) }).unwrap();
        let pass = t1.elapsed();
        let mut wb = open_bytes("x.xlsx", bytes.clone()).unwrap();
        let t2 = Instant::now();
        let mapping = tenon_imports::detect::detect(&mut wb, &REGISTER, &Default::default()).unwrap().mapping();
        let det = t2.elapsed();
        let t3 = Instant::now();
        let mut m = 0;
        let rep = tenon_imports::validate::validate(&mut wb, &REGISTER, &mapping, ids(), |b| { m += b.rows.len(); std::ops::ControlFlow::Continue(()) }).unwrap();
        let val = t3.elapsed();
        println!("calamine {base:?} open {bopen:?} ({n}); ours open {open:?} pass {pass:?} ({k}) detect {det:?} validate {val:?} ({m} {}) total {:?} ratio {:.2}", rep.sheets[0].accepted, open+det+val, (open+det+val).as_secs_f64()/base.as_secs_f64());
    }
    println!("{}", std::fs::read_to_string("/proc/self/status").unwrap().lines().find(|l| l.starts_with("VmHWM")).unwrap());
}
