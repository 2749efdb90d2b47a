//! `/api/v1/agents`: inviting agents, their certificates, putting them out.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;
use jiff::{SignedDuration, Timestamp};
use palisade_store::Agent;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Body, unkept};
use crate::api::page::{List, Listing};
use crate::api::problem::ProblemDocument;
use crate::identity::agent::{PublicKey, is_name};
use crate::identity::caller::ALL_TEAMS;
use crate::identity::enrolment::Enrolled;
use crate::identity::refusal::Refusal;
use crate::identity::{Authorized, Identity};

/// How long a join token counts.
const INVITATION: SignedDuration = SignedDuration::from_hours(1);

/// One certificate of an agent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Agent)]
pub(super) struct AgentView {
    /// Identifier of the certificate.
    id: String,
    /// The agent's name.
    name: String,
    /// SHA-256 of the certificate.
    fingerprint: String,
    /// The team that it works for; `*` is all of them.
    team: String,
    /// When the certificate was signed.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// When it was last used, to the minute.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_seen_at: Option<Timestamp>,
    /// When it was revoked.
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Timestamp>,
}

impl From<Agent> for AgentView {
    fn from(agent: Agent) -> Self {
        Self {
            id: agent.id,
            name: agent.name,
            fingerprint: agent.fingerprint,
            team: agent.team.unwrap_or_else(|| ALL_TEAMS.to_owned()),
            created_at: agent.created_at,
            expires_at: agent.expires_at,
            last_seen_at: agent.last_seen_at,
            revoked_at: agent.revoked_at,
        }
    }
}

/// A page of them.
type AgentList = List<AgentView>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AgentQuery {}

/// Agents' certificates, the newest first.
#[utoipa::path(get, path = "/api/v1/agents", operation_id = "listAgents", tag = "identity",
    params(
        ("limit" = Option<u32>, Query, description = "At most so many items.", minimum = 1, maximum = 500),
        ("after" = Option<String>, Query, description = "Where to go on: `next` of the page before."),
    ),
    responses(
        (status = 200, description = "A page of certificates.", body = AgentList),
        (status = 400, description = "A parameter is malformed.", body = ProblemDocument),
        (status = 404, description = "There is no such page.", body = ProblemDocument),
    ))]
pub(super) async fn list(
    State(identity): State<Arc<Identity>>,
    _: Authorized,
    listing: Listing<AgentQuery>,
) -> Result<AgentList, Refusal> {
    Ok(listing.answer(identity.store.list_agents(&listing.page).await?))
}

/// An agent to invite.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct InvitationRequest {
    /// The name that the agent will have: lower-case letters, digits, `-` and `.`.
    #[schema(min_length = 1, max_length = 63)]
    name: String,
    /// The team that it works for; `*` is all of them.
    #[schema(min_length = 1)]
    team: String,
}

/// A join token.
#[derive(Serialize, ToSchema)]
pub(super) struct InvitationView {
    /// The token, for one use; it is not shown again.
    token: String,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// Issues a token with which one agent joins once, within an hour.
#[utoipa::path(post, path = "/api/v1/agents/invitations", operation_id = "inviteAgent", tag = "identity",
    request_body = InvitationRequest,
    responses(
        (status = 201, description = "Issued; the answer alone holds the token.", body = InvitationView),
        (status = 400, description = "The body is malformed.", body = ProblemDocument),
        (status = 415, description = "The body is not JSON.", body = ProblemDocument),
    ))]
pub(super) async fn invite(
    State(identity): State<Arc<Identity>>,
    authorized: Authorized,
    Body(request): Body<InvitationRequest>,
) -> Result<Response, Refusal> {
    if !is_name(&request.name) {
        let wanted = "1 to 63 lower-case letters, digits, `-` and `.`, beginning and ending with a letter or digit";
        return Err(Refusal::Invalid(format!("`name` has {wanted}")));
    }
    if request.team.is_empty() {
        return Err(Refusal::Invalid("`team` names a team, or `*` for all of them".into()));
    }
    let expires_at = identity.clock.now() + INVITATION;
    let team = (request.team != ALL_TEAMS).then_some(request.team);
    let token = identity.invite_agent(authorized.caller(), &request.name, team, expires_at).await?;
    let answer = InvitationView { token: token.expose().to_owned(), expires_at };
    Ok(unkept((StatusCode::CREATED, Json(answer))))
}

/// A key to be certified with a join token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EnrolmentRequest {
    /// The join token.
    token: String,
    /// The agent's public key: ECDSA on P-256, in PEM.
    public_key: String,
}

/// A key to be certified anew.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RenewalRequest {
    /// The agent's public key, the same or a new one: ECDSA on P-256, in PEM.
    public_key: String,
}

/// A certificate.
#[derive(Serialize, ToSchema)]
pub(super) struct CertificateView {
    /// The agent's name.
    name: String,
    /// The certificate, in PEM.
    certificate: String,
    /// The authority's certificate, in PEM.
    authority: String,
    /// When the certificate ends; agents renew after two thirds of the time.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

impl From<Enrolled> for CertificateView {
    fn from(Enrolled { name, certificate, authority, expires_at }: Enrolled) -> Self {
        Self { name, certificate, authority, expires_at }
    }
}

/// Exchanges a join token and a public key for a certificate.
#[utoipa::path(post, path = "/api/v1/agents/enrolments", operation_id = "enrolAgent", tag = "identity",
    request_body = EnrolmentRequest,
    responses(
        (status = 201, description = "Signed.", body = CertificateView),
        (status = 400, description = "The body is malformed.", body = ProblemDocument),
        (status = 401, description = "The token is unknown, expired or used.", body = ProblemDocument),
        (status = 415, description = "The body is not JSON.", body = ProblemDocument),
        (status = 429, description = "Too many tokens were wrong.", body = ProblemDocument),
    ))]
pub(super) async fn enrol(
    State(identity): State<Arc<Identity>>,
    parts: Parts,
    Body(request): Body<EnrolmentRequest>,
) -> Result<Response, Refusal> {
    let key = PublicKey::from_pem(&request.public_key)?;
    let attempt = identity.enrol_agent(&request.token, &key, identity.client_address(&parts));
    let enrolled = identity.attempt(&parts, "agent.enrol", &request.token, attempt).await?;
    Ok((StatusCode::CREATED, Json(CertificateView::from(enrolled))).into_response())
}

/// Certifies a key of the agent that calls, on the agents' listener.
#[utoipa::path(post, path = "/api/v1/agents/renewals", operation_id = "renewAgent", tag = "identity",
    request_body = RenewalRequest,
    responses(
        (status = 201, description = "Signed.", body = CertificateView),
        (status = 400, description = "The body is malformed.", body = ProblemDocument),
        (status = 415, description = "The body is not JSON.", body = ProblemDocument),
    ))]
pub(super) async fn renew(
    State(identity): State<Arc<Identity>>,
    authorized: Authorized,
    Body(request): Body<RenewalRequest>,
) -> Result<Response, Refusal> {
    let key = PublicKey::from_pem(&request.public_key)?;
    let enrolled = identity.renew_agent(authorized.caller(), &key).await?;
    Ok((StatusCode::CREATED, Json(CertificateView::from(enrolled))).into_response())
}

/// Revokes every certificate of an agent at once.
#[utoipa::path(delete, path = "/api/v1/agents/{agent}", operation_id = "revokeAgent", tag = "identity",
    params(("agent" = String, Path, description = "The agent's name.")),
    responses(
        (status = 204, description = "Revoked."),
        (status = 404, description = "There is no such agent.", body = ProblemDocument),
    ))]
pub(super) async fn revoke(
    State(identity): State<Arc<Identity>>,
    authorized: Authorized,
    Path(name): Path<String>,
) -> Result<Response, Refusal> {
    identity.revoke_agents(authorized.caller(), &name).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
