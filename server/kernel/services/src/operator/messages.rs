//! Messages that did not simply go out.

use serde_json::json;
use tenon_sdk::{Kernel, Result};
use uuid::Uuid;

use super::Operator;
use crate::{
    identity::audit,
    notifications::doubt::{self, Decision, MessagePage, MessagesWanted},
};

/// A page of messages.
pub(super) async fn list(kernel: &Kernel, wanted: &MessagesWanted) -> Result<MessagePage> {
    doubt::list(kernel, wanted).await
}

/// Does what an operator decided of a message, and records that they did.
pub(super) async fn resolve(
    kernel: &Kernel,
    operator: &Operator,
    id: Uuid,
    decision: Decision,
) -> Result<()> {
    let tx = operator.begin(kernel, "operator: message").await?;
    let kind = doubt::resolve(&tx, kernel.env().now(), operator.user.0, id, decision).await?;
    let traits = json!({ "message_id": id, "kind": kind, "decision": decision });
    audit::record(
        &tx,
        kernel.env(),
        Some(operator.user.0),
        "message_resolved",
        traits,
    )
    .await?;
    tx.commit().await
}
