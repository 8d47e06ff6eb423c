//! How much of a file the engine is willing to take in.

/// Bounds on one file; the defaults suit a server that shares its memory with other requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Size of the file, in bytes.
    pub file_bytes: u64,
    /// Size of everything in a compressed workbook after decompression, in bytes.
    pub decompressed_bytes: u64,
    /// Decompressed bytes for each compressed byte, applied to parts larger than 64 MiB.
    pub ratio: u64,
    /// Size of a workbook's table of shared texts after decompression, in bytes: it is held in memory whole.
    pub shared_text_bytes: u64,
    /// Rows with content on one sheet.
    pub rows: u32,
    /// Columns with content on one sheet.
    pub columns: usize,
    /// Text of one cell, in bytes.
    pub cell_bytes: usize,
    /// Worksheets.
    pub sheets: usize,
    /// Cells of the rectangles that hold the contents of XLS and ODS sheets, which are read whole.
    pub dense_cells: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes: 64 << 20,
            decompressed_bytes: 1 << 30,
            ratio: 200,
            shared_text_bytes: 128 << 20,
            rows: 1_000_000,
            columns: 512,
            cell_bytes: 32 << 10,
            sheets: 64,
            dense_cells: 4_000_000,
        }
    }
}
