//! Who may do what with an organisation's files.

tenon_sdk::permissions! {
    pub ObjectsRead = "storage.objects.read", from Viewer, "See and download the organisation's files";
    pub ObjectsWrite = "storage.objects.write", from Member, "Upload, replace, copy and move files";
    pub ObjectsDelete = "storage.objects.delete", from Member, "Delete files";
}
