//! Who may see and change an organisation.

tenon_sdk::permissions! {
    pub OrganizationRead = "tenancy.organization.read", from Viewer, "See the organisation and one's own rights in it";
    pub OrganizationUpdate = "tenancy.organization.update", from Admin, "Change the organisation's name";
    pub MembersRead = "tenancy.members.read", from Viewer, "See who belongs to the organisation";
    pub MembersInvite = "tenancy.members.invite", from Admin, "Invite people";
}
