//! A program gives a token back (RFC 7009): its session ends. The grant stays, so that the person is not asked again.

use axum::{
    body::Bytes,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use tenon_sdk::{Result, SystemTx, ctx, kernel::Authenticator};
use uuid::Uuid;

use super::{
    super::{Identity, routes::Service},
    clients::{self, Client, hash},
    exchange,
    fault::{Fault, not_kept},
    parameters::Parameters,
    program::Program,
};

/// Whom the token of a request speaks for, if it is an access token. Asked before a transaction is open, since that may look at the
/// keys.
pub(super) async fn access(identity: &Identity, parameters: &Parameters) -> Option<ctx::Identity> {
    let token = parameters.get("token")?;
    identity.verifier().authenticate(token).await.ok()
}

/// The session of a program that a token of either kind belongs to, and whose it is; none if it has ended or is not
/// that program's.
pub(super) async fn session(
    tx: &SystemTx,
    client: &Client,
    token: &str,
    access: Option<&ctx::Identity>,
) -> Result<Option<(Uuid, Uuid)>> {
    let access = access
        .filter(|found| Program::of(found).is_some_and(|program| program.client == client.id))
        .and_then(|found| found.session);
    let row = tx
        .query_opt(
            "select s.id, s.user_id from auth.sessions s where s.oauth_client_id = $1 \
             and (s.id = $2 or s.id = (select session_id from auth.refresh_tokens where token_hash = $3))",
            &[&client.id, &access, &hash(token)],
        )
        .await?;
    row.map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).transpose()
}

pub(super) async fn revoke(service: Service, headers: HeaderMap, body: Bytes) -> Response {
    let result = async {
        let parameters = Parameters::form(&headers, &body)?;
        let access = access(&service, &parameters).await;
        let tx = SystemTx::begin(&service.0.0.db, "revocation").await?;
        let client = clients::authenticate(&tx, &headers, &parameters).await?;
        let token = parameters.required("token")?;
        if let Some((session, user)) = session(&tx, &client, token, access.as_ref()).await? {
            exchange::end(&service, &tx, user, session).await?;
        }
        tx.commit().await?;
        // The same whether there was such a token: it is not good now.
        Ok::<_, Fault>(StatusCode::OK)
    };
    match result.await {
        Ok(done) => not_kept(done),
        Err(fault) => fault.into_response(),
    }
}
