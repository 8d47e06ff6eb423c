//! Who may import. Each template asks for a permission of its app besides.

tenon_sdk::permissions! {
    pub RunsRead = "imports.runs.read", from Viewer, "See imports, how far they are and their counts; their rows ask for the template's permission besides";
    pub RunsCreate = "imports.runs.create", from Manager, "Upload, map, confirm and cancel imports";
    pub RunsUndo = "imports.runs.undo", from Manager, "Take a whole import back";
}
