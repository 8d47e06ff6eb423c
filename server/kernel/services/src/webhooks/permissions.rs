//! Who may have others told what happens.

tenon_sdk::permissions! {
    pub EndpointsRead = "webhooks.endpoints.read", from Admin, "See who outside is told what happens, and what became of it";
    pub EndpointsManage = "webhooks.endpoints.manage", from Admin, "Have others told what happens, and have it sent again";
}
