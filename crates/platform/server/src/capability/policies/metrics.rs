//! What `/metrics` tells of the ruleset in force and of how it was loaded.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

use crate::Context;
use crate::metrics::Seconds;

type Number = Gauge;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Digest {
    digest: String,
}

/// Has the ruleset read whenever somebody asks.
pub(super) fn register(context: &Context) {
    let (info, policies, age) = (Family::<Digest, Gauge>::default(), Number::default(), Seconds::default());
    let (loads, failures) = (Number::default(), Number::default());
    let metrics = &context.metrics;
    metrics.register("ruleset_info", "1 for the ruleset in force", info.clone());
    metrics.register("ruleset_policies", "Policies of the ruleset in force", policies.clone());
    metrics.register("ruleset_age_seconds", "Seconds since the ruleset in force was built", age.clone());
    metrics.register("policy_loads", "Times that policies were read", loads.clone());
    metrics.register("policy_load_failures", "Times that something was wrong with them", failures.clone());
    let (rulesets, status, clock) = (context.rulesets.clone(), context.policies.status(), context.clock.clone());
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    metrics.read_by(move || {
        let (ruleset, status) = (rulesets.borrow().clone(), status.borrow().clone());
        info.clear();
        info.get_or_create_owned(&Digest { digest: ruleset.digest.to_string() }).set(1);
        policies.set(number(ruleset.references().len() as u64));
        let since = status.loaded_at.map(|at| clock.now().duration_since(at).as_secs_f64().max(0.0));
        age.set(since.unwrap_or_default());
        loads.set(number(status.loads));
        failures.set(number(status.failures));
    });
}
