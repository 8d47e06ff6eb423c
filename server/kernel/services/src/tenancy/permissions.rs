//! Who may see and change an organisation.

tenon_sdk::permissions! {
    pub OrganizationRead = "tenancy.organization.read", from Viewer, "See the organisation and one's own rights in it";
    pub OrganizationUpdate = "tenancy.organization.update", from Admin, "Change the organisation's name, address, look and first page";
    pub AppsUpdate = "tenancy.apps.update", from Admin, "Switch apps on and off";
    pub OrganizationExport = "tenancy.organization.export", from Owner, "Take all data of the organisation away as a file";
    pub OrganizationTransfer = "tenancy.organization.transfer", from Owner, "Make somebody else its owner";
    pub OrganizationDelete = "tenancy.organization.delete", from Owner, "Delete the organisation";
    pub SecurityUpdate = "tenancy.security.update", from Admin, "Decide whether members need a second factor";
    pub MembersRead = "tenancy.members.read", from Viewer, "See who belongs to the organisation";
    pub MembersInvite = "tenancy.members.invite", from Admin, "Invite people";
    pub MembersUpdate = "tenancy.members.update", from Admin, "Change roles and departments of members";
    pub MembersSuspend = "tenancy.members.suspend", from Admin, "Suspend members and let them in again";
    pub MembersRemove = "tenancy.members.remove", from Admin, "Remove members";
    pub DepartmentsUpdate = "tenancy.departments.update", from Admin, "Add, rename and remove departments";
}
