//! `/api/v1/agents`: inviting agents, their certificates, putting them out.

use std::sync::Arc;

use axum::extract::State;
use http::request::Parts;
use jiff::{SignedDuration, Timestamp};
use palisade_api::{Body, Code, Done, List, Listing, Made, NAME, Nothing, Part, shape};
use palisade_store::Agent;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::agent::{PublicKey, is_name};
use crate::caller::ALL_TEAMS;
use crate::enrolment::Enrolled;
use crate::permission::{INGEST, MANAGE_AGENTS};
use crate::refusal::Refusal;
use crate::{Authorized, Endpoint, Identity};

/// How long a join token counts.
const INVITATION: SignedDuration = SignedDuration::from_hours(1);

pub(super) fn endpoints() -> Vec<Endpoint<Arc<Identity>>> {
    vec![
        Endpoint::get(MANAGE_AGENTS, "/agents", list).named("listAgents", "Agents' certificates, the newest first."),
        Endpoint::post(MANAGE_AGENTS, "/agents/invitations", invite)
            .named("inviteAgent", "Issues a token with which one agent joins once, within an hour."),
        Endpoint::open_post("/agents/enrolments", enrol)
            .named("enrolAgent", "Exchanges a join token and a public key for a certificate.")
            .problems(&[Code::Unauthenticated]),
        Endpoint::post(INGEST, "/agents/renewals", renew)
            .named("renewAgent", "Certifies a key of the agent that calls, on the agents' listener."),
        Endpoint::delete(MANAGE_AGENTS, "/agents/{agent}", revoke)
            .named("revokeAgent", "Revokes every certificate of an agent at once."),
    ]
}

shape!(
    /// Name of an agent.
    AgentName, "agent", 63, NAME, palisade_api::is_name
);

/// One certificate of an agent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Agent)]
struct AgentView {
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

/// An agent to invite.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct InvitationRequest {
    /// The name that the agent will have: lower-case letters, digits, `-` and `.`.
    #[schema(min_length = 1, max_length = 63)]
    name: String,
    /// The team that it works for; `*` is all of them.
    #[schema(min_length = 1)]
    team: String,
}

/// A join token.
#[derive(Serialize, ToSchema)]
struct InvitationView {
    /// The token, for one use; it is not shown again.
    token: String,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// A key to be certified with a join token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct EnrolmentRequest {
    /// The join token.
    token: String,
    /// The agent's public key: ECDSA on P-256, in PEM.
    public_key: String,
}

/// A key to be certified anew.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RenewalRequest {
    /// The agent's public key, the same or a new one: ECDSA on P-256, in PEM.
    public_key: String,
}

/// A certificate.
#[derive(Serialize, ToSchema)]
struct CertificateView {
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

async fn list(
    State(identity): State<Arc<Identity>>,
    _: Authorized,
    listing: Listing<Nothing>,
) -> Result<List<AgentView>, Refusal> {
    Ok(listing.answer(identity.store.list_agents(&listing.page).await?))
}

async fn invite(
    State(identity): State<Arc<Identity>>,
    authorized: Authorized,
    Body(request): Body<InvitationRequest>,
) -> Result<Made<InvitationView>, Refusal> {
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
    Ok(Made(InvitationView { token: token.expose().to_owned(), expires_at }))
}

async fn enrol(
    State(identity): State<Arc<Identity>>,
    parts: Parts,
    Body(request): Body<EnrolmentRequest>,
) -> Result<Made<CertificateView>, Refusal> {
    let key = PublicKey::from_pem(&request.public_key)?;
    let attempt = identity.enrol_agent(&request.token, &key, identity.client_address(&parts));
    Ok(Made(identity.attempt(&parts, "agent.enrol", &request.token, attempt).await?.into()))
}

async fn renew(
    State(identity): State<Arc<Identity>>,
    authorized: Authorized,
    Body(request): Body<RenewalRequest>,
) -> Result<Made<CertificateView>, Refusal> {
    let key = PublicKey::from_pem(&request.public_key)?;
    Ok(Made(identity.renew_agent(authorized.caller(), &key).await?.into()))
}

async fn revoke(
    State(identity): State<Arc<Identity>>,
    authorized: Authorized,
    Part(name, _): Part<AgentName>,
) -> Result<Done, Refusal> {
    identity.revoke_agents(authorized.caller(), &name).await?;
    Ok(Done)
}
