//! Extractors. A handler that names a permission in its signature cannot run without it.

use std::{marker::PhantomData, ops::Deref};

use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    http::request::Parts,
};
use serde::de::DeserializeOwned;

use super::identity::{OrgHeader, RequestIdentity};
use crate::{
    ctx::{Ctx, Identity, KeyRef, server_context},
    db::{OrgSelector, TenantTx},
    error::{Error, Kind, Result},
    ids::UserId,
    kernel::Kernel,
    permission::Permission,
};

fn identity(parts: &Parts) -> Identity {
    parts
        .extensions
        .get::<RequestIdentity>()
        .map_or_else(Identity::anonymous, |RequestIdentity(identity)| identity.clone())
}

fn not_signed_in() -> Error {
    Error::unauthenticated("auth.required", "You are not signed in.")
        .hint("Sign in and send the access token as Authorization: Bearer <token>.")
}

/// A person or a key of an organisation.
fn principal(parts: &Parts) -> Result<Identity> {
    let identity = identity(parts);
    if identity.is_principal() {
        Ok(identity)
    } else {
        Err(not_signed_in())
    }
}

fn organisation(parts: &Parts) -> OrgSelector {
    parts
        .extensions
        .get::<OrgHeader>()
        .map(|OrgHeader(org)| org.clone())
        .unwrap_or_default()
}

/// A signed-in person; no organisation is needed. Keys of organisations are nobody, and a token that was narrowed to an
/// organisation or to permissions is no good here.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The person.
    pub user: UserId,
    /// The token's identity.
    pub identity: Identity,
}

impl FromRequestParts<Kernel> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &Kernel) -> Result<Self> {
        let identity = identity(parts);
        let person_required = |details: &str| {
            Error::forbidden("auth.person_required", "This is for people who are signed in.").details(details)
        };
        match (identity.user, identity.key) {
            (Some(user), None | Some(KeyRef { narrow: false, .. })) => Ok(Self { user, identity }),
            (Some(_), Some(_)) => Err(person_required("The token is narrowed.")
                .hint("Use a token for all organisations and permissions, or sign in.")),
            (None, Some(_)) => {
                Err(person_required("A key of an organisation speaks for no person.").hint("Sign in."))
            }
            (None, None) => Err(not_signed_in()),
        }
    }
}

/// The caller has the permission `P` in the organisation asked for. No connection is held.
#[derive(Clone, Debug)]
pub struct Permit<P> {
    ctx: Ctx,
    permission: PhantomData<P>,
}

impl<P> Permit<P> {
    /// The caller's context.
    pub fn ctx(&self) -> &Ctx {
        &self.ctx
    }
}

impl<P: Permission> Permit<P> {
    /// Begins a transaction in which the caller has the permission still: it may have been taken while the request's body came.
    pub async fn begin(&self) -> Result<Tx<P>> {
        let tx = self.ctx.begin().await?;
        tx.require(P::DEF.name)?;
        Ok(Tx {
            tx,
            permission: PhantomData,
        })
    }
}

impl<P: Permission> FromRequestParts<Kernel> for Permit<P> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, kernel: &Kernel) -> Result<Self> {
        let identity = principal(parts)?;
        let mut context = server_context(&identity, organisation(parts));
        context.read_only = true;
        let resolved = kernel.db().resolve(&context).await?;
        resolved.require(P::DEF.name)?;
        Ok(Self {
            ctx: Ctx::for_request(kernel.clone(), identity, resolved)?,
            permission: PhantomData,
        })
    }
}

/// An open transaction of a caller who has the permission `P` in the organisation asked for.
///
/// It stands where a body would, last and alone: a transaction that waits for a body holds a connection for as long as somebody
/// likes to take over sending it. A handler with a body names [`Permit`], and begins when it has read it.
#[derive(Debug)]
pub struct Tx<P> {
    tx: TenantTx,
    permission: PhantomData<P>,
}

impl<P> Tx<P> {
    /// Makes everything done here lasting and visible.
    pub async fn commit(self) -> Result<()> {
        self.tx.commit().await
    }
}

impl<P> Deref for Tx<P> {
    type Target = TenantTx;

    fn deref(&self) -> &TenantTx {
        &self.tx
    }
}

impl<P: Permission> FromRequest<Kernel> for Tx<P> {
    type Rejection = Error;

    async fn from_request(request: Request, kernel: &Kernel) -> Result<Self> {
        let (parts, _) = request.into_parts();
        let identity = principal(&parts)?;
        let context = server_context(&identity, organisation(&parts));
        let tx = TenantTx::begin(kernel.db(), kernel.env(), &context).await?;
        tx.require(P::DEF.name)?;
        Ok(Self {
            tx,
            permission: PhantomData,
        })
    }
}

/// Whether reading a body was given up because no more of it came.
fn stalled(rejection: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(rejection), |error| error.source())
        .any(<dyn std::error::Error + 'static>::is::<tower_http::timeout::TimeoutError>)
}

/// A JSON body; what cannot be read is an error in the usual form.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Kernel> for Json<T> {
    type Rejection = Error;

    async fn from_request(request: Request, kernel: &Kernel) -> Result<Self> {
        match axum::Json::<T>::from_request(request, kernel).await {
            Ok(axum::Json(value)) => Ok(Self(value)),
            Err(rejection) if stalled(&rejection) => Err(Error::new(
                Kind::Status(408),
                "request.stalled",
                "The request's body did not come.",
            )
            .hint("Send it without long pauses.")),
            Err(rejection) => {
                let text = rejection.body_text();
                Err(match rejection.status().as_u16() {
                    413 => Error::too_large("request.too_large", "The request is too large."),
                    415 => Error::new(
                        Kind::Status(415),
                        "request.media_type",
                        "The request must be JSON.",
                    )
                    .hint("Send Content-Type: application/json."),
                    _ => Error::invalid("request.malformed", "The request cannot be read."),
                }
                .details(text))
            }
        }
    }
}

impl<T: serde::Serialize> axum::response::IntoResponse for Json<T> {
    fn into_response(self) -> axum::response::Response {
        axum::Json(self.0).into_response()
    }
}

/// Values from the path.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<Kernel> for Path<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, kernel: &Kernel) -> Result<Self> {
        // An id that is none names nothing.
        axum::extract::Path::<T>::from_request_parts(parts, kernel)
            .await
            .map(|path| Self(path.0))
            .map_err(|error| {
                Error::not_found("request.not_found", "There is nothing at this address.")
                    .details(error.body_text())
            })
    }
}

/// Values from the query string.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<Kernel> for Query<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, kernel: &Kernel) -> Result<Self> {
        axum::extract::Query::<T>::from_request_parts(parts, kernel)
            .await
            .map(|query| Self(query.0))
            .map_err(|error| {
                Error::invalid("request.malformed", "A parameter of the address cannot be read.")
                    .details(error.body_text())
            })
    }
}
