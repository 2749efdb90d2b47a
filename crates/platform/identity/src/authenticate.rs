//! From a request to its caller.
//!
//! A request proves itself by exactly one thing: the connection's client certificate, else the `Authorization` header,
//! else the session's cookie. A proof that does not hold is refused; no weaker one is tried after it.

use std::net::IpAddr;
use std::time::Instant;

use http::header;
use http::request::Parts;
use jiff::{SignedDuration, Timestamp};
use palisade_store::{Account, SecretHash, Session, Token};
use rustls::pki_types::CertificateDer;

use super::caller::{Binding, Caller, Method};
use super::cookie::{Cookie, same_origin};
use super::refusal::Refusal;
use super::secret::{self, Kind};
use super::throttle::Suspect;
use super::{Identity, address, agent, seconds};
use crate::peer::Peer;

/// Longest `Authorization` header that is read, in bytes.
const MAX_AUTHORIZATION: usize = 256;
/// How often the store is told that something was used.
const TOUCH: SignedDuration = SignedDuration::from_mins(1);

/// What a request carries to prove who it is from.
enum Proof<'a> {
    Certificate(&'a CertificateDer<'static>),
    /// `None` where the header holds something else than a bearer token.
    Token(Option<&'a str>),
    Session(&'a str),
}

impl<'a> Proof<'a> {
    fn of(parts: &'a Parts, tls: bool) -> Option<Self> {
        let peer = parts.extensions.get::<Peer>().and_then(|peer| peer.certificates.as_ref());
        if let Some(certificate) = peer.and_then(|chain| chain.first()) {
            return Some(Self::Certificate(certificate));
        }
        let mut headers = parts.headers.get_all(header::AUTHORIZATION).iter();
        if let Some(first) = headers.next() {
            let bearer = headers.next().is_none().then_some(first).filter(|value| value.len() <= MAX_AUTHORIZATION);
            let bearer = bearer.and_then(|value| value.to_str().ok()).and_then(|value| value.split_once(' '));
            let bearer = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
            return Some(Self::Token(bearer.map(|(_, token)| token)));
        }
        Cookie::Session.read(tls, &parts.headers).map(Self::Session)
    }

    const fn method(&self) -> &'static str {
        match self {
            Self::Certificate(_) => "certificate",
            Self::Token(_) => "token",
            Self::Session(_) => "session",
        }
    }

    /// What its failures are counted by.
    fn suspects(&self, address: IpAddr) -> Vec<Suspect> {
        let secret = match self {
            Self::Token(Some(secret)) | Self::Session(secret) => Some(secret::fingerprint(secret)),
            Self::Token(None) | Self::Certificate(_) => None,
        };
        std::iter::once(address.into()).chain(secret.map(Suspect::Secret)).collect()
    }
}

impl Identity {
    /// The caller of a request, by whatever proof it carries.
    pub(super) async fn authenticate(&self, parts: &Parts) -> Result<Caller, Refusal> {
        let address = self.client_address(parts);
        let proof = Proof::of(parts, self.tls()).ok_or(Refusal::Unauthenticated)?;
        let suspects = proof.suspects(address);
        self.throttle.check(&suspects, Instant::now())?;
        let caller = match &proof {
            Proof::Certificate(certificate) => self.by_certificate(certificate, address).await?,
            Proof::Token(token) => self.by_token(*token, address).await?,
            Proof::Session(value) => self.by_session(value, address).await?,
        };
        let Some(caller) = caller else {
            self.throttle.failed(&suspects, Instant::now());
            self.note_failure("authenticate", proof.method(), address, "it is unknown, expired or revoked").await;
            return Err(match proof {
                Proof::Session(_) => Refusal::SessionEnded(Cookie::Session.clear(self.tls())),
                Proof::Certificate(_) | Proof::Token(_) => Refusal::Unauthenticated,
            });
        };
        if caller.method() == Method::Session {
            same_origin(parts, &self.address)?;
        }
        Ok(caller)
    }

    /// Where a request comes from.
    pub(super) fn client_address(&self, parts: &Parts) -> IpAddr {
        address::of(parts, &self.config.trusted_proxies)
    }

    async fn by_session(&self, value: &str, address: IpAddr) -> Result<Option<Caller>, Refusal> {
        let Some(session) = self.live_session(value).await? else { return Ok(None) };
        let Some(account) = self.live_account(&session.account_id).await? else { return Ok(None) };
        let bindings = self.bindings_of(&account).await?;
        if is_stale(Some(session.last_seen_at), self.clock.now()) {
            noted(self.store.touch_session(&session.id, self.clock.now()).await);
        }
        Ok(Some(caller(&account, Method::Session, session.id, bindings, address)))
    }

    /// The session of a cookie that is live and has not been idle for too long.
    pub(super) async fn live_session(&self, value: &str) -> Result<Option<Session>, Refusal> {
        let now = self.clock.now();
        let Some(hash) = secret::hash(Kind::Session, value) else { return Ok(None) };
        let Some(session) = self.store.live_session(&hash, now).await? else { return Ok(None) };
        if now.duration_since(session.last_seen_at) > seconds(self.config.session_idle) {
            self.store.revoke_session(&session.id, now).await?;
            return Ok(None);
        }
        Ok(Some(session))
    }

    async fn by_token(&self, token: Option<&str>, address: IpAddr) -> Result<Option<Caller>, Refusal> {
        let Some(hash) = token.and_then(|token| secret::hash(Kind::Token, token)) else { return Ok(None) };
        let Some((token, account)) = self.live_token(&hash).await? else { return Ok(None) };
        let binding = Binding::new(token.role, token.team.as_deref());
        // The creator may have lost roles since; the token keeps none that its creator has not.
        let held = self.bindings_of(&account).await?.iter().any(|held| held.covers(&binding, &self.permissions));
        if is_stale(token.last_used_at, self.clock.now()) {
            noted(self.store.touch_token(&token.id, self.clock.now()).await);
        }
        let bindings = if held { vec![binding] } else { Vec::new() };
        Ok(Some(caller(&account, Method::Token, token.id, bindings, address)))
    }

    async fn live_token(&self, hash: &SecretHash) -> Result<Option<(Token, Account)>, Refusal> {
        let Some(token) = self.store.live_token(hash, self.clock.now()).await? else { return Ok(None) };
        let Some(account) = token.account_id.as_deref() else { return Ok(None) };
        Ok(self.live_account(account).await?.map(|account| (token, account)))
    }

    async fn by_certificate(
        &self,
        certificate: &CertificateDer<'static>,
        address: IpAddr,
    ) -> Result<Option<Caller>, Refusal> {
        let now = self.clock.now();
        let Some(agent) = self.store.live_agent(&agent::fingerprint(certificate), now).await? else { return Ok(None) };
        if is_stale(agent.last_seen_at, now) {
            noted(self.store.touch_agent(&agent.id, now).await);
        }
        Ok(Some(Caller {
            id: format!("agent:{}", agent.name),
            name: agent.name,
            method: Method::Certificate,
            credential: agent.id,
            bindings: Vec::new(),
            address,
        }))
    }

    /// An account that may act.
    pub(super) async fn live_account(&self, id: &str) -> Result<Option<Account>, Refusal> {
        Ok(self.store.account(id).await?.filter(|account| !account.disabled))
    }

    /// The roles that an account has now: those given to it, and those of its groups.
    pub(super) async fn bindings_of(&self, account: &Account) -> Result<Vec<Binding>, Refusal> {
        let given = self.store.roles_of(&account.id, &account.groups).await?;
        let mut bindings: Vec<_> = given.iter().map(|given| Binding::new(given.role, given.team.as_deref())).collect();
        let oidc = self.config.oidc.as_ref().filter(|oidc| oidc.issuer_text() == account.issuer);
        bindings.extend(oidc.into_iter().flat_map(|oidc| oidc.bindings(&account.groups)));
        bindings.sort();
        bindings.dedup();
        Ok(bindings)
    }
}

fn caller(account: &Account, method: Method, credential: String, bindings: Vec<Binding>, address: IpAddr) -> Caller {
    let (id, name) = (account.id.clone(), account.display_name.clone());
    Caller { id, name, method, credential, bindings, address }
}

fn is_stale(last: Option<Timestamp>, now: Timestamp) -> bool {
    last.is_none_or(|last| now.duration_since(last) >= TOUCH)
}

/// A use that could not be noted does not keep a caller out: a full disk still lets people read.
fn noted(result: Result<(), palisade_store::StoreError>) {
    if let Err(error) = result {
        tracing::warn!(%error, "the last use of a credential could not be noted");
    }
}
