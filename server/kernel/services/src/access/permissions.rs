//! Who may see and change who may do what.

tenon_sdk::permissions! {
    pub RolesRead = "access.roles.read", from Viewer, "See the roles and what they allow";
    pub RolesManage = "access.roles.manage", from Admin, "Make roles of the organisation's own and give them to members";
    pub ReviewRead = "access.review.read", from Admin, "See who can do what, and why";
    pub KeysRead = "access.keys.read", from Admin, "See the organisation's API keys";
    pub KeysManage = "access.keys.manage", from Admin, "Make and revoke the organisation's API keys";
    pub SpacesRead = "access.spaces.read", from Viewer, "See spaces and who is in them";
    pub SpacesManage = "access.spaces.manage", from Manager, "Make spaces and choose who is in them";
    pub SupportRead = "access.support.read", from Owner, "See when operators of the installation came in to help";
    pub SupportEnd = "access.support.end", from Owner, "Send operators of the installation away";
}
