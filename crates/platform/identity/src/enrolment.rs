//! How agents join, renew and are put out.

use jiff::Timestamp;
use palisade_store::{Agent, NewAgent, Page};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::agent::{self, PublicKey};
use super::caller::{Caller, Method};
use super::refusal::Refusal;
use super::secret::{self, Kind, Secret};
use super::{Identity, seconds};

/// Certificates of one agent that are looked through when it is revoked; far more than can be live.
const MAX_AGENTS: usize = 100_000;

/// What a join token stands for.
#[derive(Serialize, Deserialize)]
struct Invitation {
    name: String,
    team: Option<String>,
}

/// A certificate that was just signed.
pub(super) struct Enrolled {
    pub(super) name: String,
    pub(super) certificate: String,
    pub(super) authority: String,
    pub(super) expires_at: Timestamp,
}

impl Identity {
    /// A token with which one agent joins once under `name`, until `expires_at`.
    pub(super) async fn invite_agent(
        &self,
        caller: &Caller,
        name: &str,
        team: Option<String>,
        expires_at: Timestamp,
    ) -> Result<Secret, Refusal> {
        let token = Secret::generate(Kind::Join)?;
        let hash = secret::hash(Kind::Join, token.expose()).ok_or(Refusal::Internal)?;
        let invitation = Invitation { name: name.to_owned(), team: team.clone() };
        let data = serde_json::to_value(invitation).map_err(|error| Refusal::internal("inviting an agent", &error))?;
        self.store.put_login_state(&hash, &data, expires_at, self.clock.now()).await?;
        let details = json!({"expires_at": expires_at.to_string()});
        self.note(caller, "agent.invite", name, team, details).await?;
        Ok(token)
    }

    /// Exchanges a join token and a public key for a certificate.
    pub(super) async fn enrol_agent(
        &self,
        token: &str,
        key: &PublicKey,
        address: std::net::IpAddr,
    ) -> Result<Enrolled, Refusal> {
        let rejected = || Refusal::Rejected("the join token is unknown, expired or used".into());
        let hash = secret::hash(Kind::Join, token).ok_or_else(rejected)?;
        let taken = self.store.take_login_state(&hash, self.clock.now()).await?.ok_or_else(rejected)?;
        let invitation: Invitation = serde_json::from_value(taken.data)
            .map_err(|error| Refusal::internal("reading an agent's invitation", &error))?;
        let (enrolled, agent) = self.certify(&invitation.name, invitation.team, key).await?;
        let caller = Caller {
            id: format!("agent:{}", agent.name),
            name: agent.name,
            method: Method::Certificate,
            credential: agent.id,
            bindings: Vec::new(),
            address,
        };
        self.note(&caller, "agent.enrol", &caller.name, agent.team, json!({})).await?;
        Ok(enrolled)
    }

    /// A further certificate for the agent that calls with one.
    pub(super) async fn renew_agent(&self, caller: &Caller, key: &PublicKey) -> Result<Enrolled, Refusal> {
        let now = self.clock.now();
        let current = self.agents(|agent| agent.id == caller.credential()).await?.pop();
        let current = current.ok_or(Refusal::Unauthenticated)?;
        let (enrolled, renewed) = self.certify(&current.name, current.team.clone(), key).await?;
        // Revoked in between: the new certificate must not outlive that.
        if self.store.live_agent(&current.fingerprint, now).await?.is_none() {
            self.store.revoke_agent(&renewed.id, now).await?;
            return Err(Refusal::Unauthenticated);
        }
        self.note(caller, "agent.renew", &current.name, current.team, json!({})).await?;
        Ok(enrolled)
    }

    /// Revokes every certificate of the agents called `name`.
    pub(super) async fn revoke_agents(&self, caller: &Caller, name: &str) -> Result<(), Refusal> {
        let agents = self.agents(|agent| agent.name == name).await?;
        if agents.is_empty() {
            return Err(Refusal::NotFound);
        }
        for agent in agents {
            self.store.revoke_agent(&agent.id, self.clock.now()).await?;
        }
        self.note(caller, "agent.revoke", name, None, json!({})).await
    }

    /// The agents that are `wanted`.
    async fn agents(&self, wanted: impl Fn(&Agent) -> bool) -> Result<Vec<Agent>, Refusal> {
        let (mut found, mut page) = (Vec::new(), Page::first(Page::MAX_LIMIT));
        for _ in 0..MAX_AGENTS / Page::MAX_LIMIT as usize {
            let listed = self.store.list_agents(&page).await?;
            found.extend(listed.items.into_iter().filter(&wanted));
            page.after = listed.next;
            if page.after.is_none() {
                return Ok(found);
            }
        }
        Err(Refusal::Conflict("there are too many agents to look through; let the old ones be pruned".into()))
    }

    async fn certify(&self, name: &str, team: Option<String>, key: &PublicKey) -> Result<(Enrolled, Agent), Refusal> {
        let now = self.clock.now();
        let expires_at = now + seconds(self.config.agent_lifetime);
        let certificate = self.authority.sign(name, key, now, expires_at)?;
        let fingerprint = agent::fingerprint(certificate.der());
        let new = NewAgent { name: name.to_owned(), fingerprint, team, expires_at };
        let agent = self.store.create_agent(&new, now).await?;
        let enrolled = Enrolled {
            name: name.to_owned(),
            certificate: certificate.pem(),
            authority: self.authority.pem(),
            expires_at,
        };
        Ok((enrolled, agent))
    }
}
