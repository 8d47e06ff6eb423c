//! A program registers itself (RFC 7591), where the operator lets it.

use axum::{
    Json,
    body::Bytes,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use jiff::SignedDuration;
use serde_json::json;
use tenon_sdk::{Error, SystemTx, error::Kind};

use super::{
    super::{
        super::{audit, routes::Service},
        fault::{Fault, not_kept},
    },
    insert,
    metadata::Asked,
};

/// Programs that registered themselves and that nobody connected in this time are forgotten.
const UNUSED: SignedDuration = SignedDuration::from_hours(30 * 24);

pub(in super::super) async fn register(service: Service, body: Bytes) -> Response {
    let settings = &service.0.0.config.auth.issuer;
    if !settings.registration {
        let off = Error::forbidden(
            "oauth_dynamic_client_registration_disabled",
            "Programs cannot register themselves here.",
        )
        .hint("The operator registers them, or sets auth.issuer.registration.");
        return off.into_response();
    }
    let result = async {
        let metadata = serde_json::from_slice::<Asked>(&body)
            .map_err(|error| {
                Fault::new(
                    "invalid_client_metadata",
                    format!("The body cannot be read: {error}"),
                )
            })?
            .fresh()?;
        let (env, now) = (&service.0.0.env, service.0.0.env.now());
        let tx = SystemTx::begin(&service.0.0.db, "client registration").await?;
        tx.execute(
            "delete from auth.oauth_clients c where registration_type = 'dynamic' and created_at < $1 \
             and not exists (select from auth.oauth_consents k where k.client_id = c.id)",
            &[&(now - UNUSED)],
        )
        .await?;
        // One after the other, so that many at once count as many.
        tx.query(
            "select pg_advisory_xact_lock(hashtext('auth.oauth_clients'))",
            &[],
        )
        .await?;
        let lately: i64 = tx
            .query_one(
                "select count(*) from auth.oauth_clients where registration_type = 'dynamic' and created_at > $1",
                &[&(now - SignedDuration::from_hours(1))],
            )
            .await?
            .try_get(0)?;
        if lately >= settings.registrations_per_hour {
            return Err(Refused::Often);
        }
        let (made, secret) = insert(env, &tx, &metadata, "dynamic").await?;
        let traits = json!({ "client_id": made.id, "client_name": metadata.name });
        audit::record(&tx, env, None, "oauth_client_registered", traits).await?;
        tx.commit().await?;
        Ok((StatusCode::CREATED, Json(made.to_json(secret.as_deref()))))
    };
    match result.await {
        Ok(made) => not_kept(made),
        Err(Refused::Fault(fault)) => fault.into_response(),
        Err(Refused::Often) => Error::new(
            Kind::RateLimited,
            "over_request_rate_limit",
            "Too many programs registered lately.",
        )
        .hint("Try again in an hour.")
        .into_response(),
    }
}

enum Refused {
    Fault(Fault),
    Often,
}

impl<E: Into<Fault>> From<E> for Refused {
    fn from(fault: E) -> Self {
        Self::Fault(fault.into())
    }
}
