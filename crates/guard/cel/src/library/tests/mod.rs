//! Every function overload, macro and operator with a case that it alone decides, and with wrong arguments.
//!
//! Cases are written from the public documentation of CEL, Kubernetes and Kyverno. The tests walk the libraries: an
//! overload is covered by a case that does not compile without it and holds with no other overload of its name. So
//! a function that is added without a case fails here. Refusals of wrong arguments are made from the signatures.

mod extensions;
mod kubernetes;
mod kyverno;
mod macros;
mod operators;
mod standard;

use palisade_policy::{Environment, Variables};

use super::kyverno::generator::{self, Collector};
use super::kyverno::tests::{Echo, Surrounded};
use super::{Function, Library, Macro, Style};
use crate::library as libraries;
use crate::{Bindings, Budget, Env, EnvBuilder, Moment, Type, Val};

/// What must hold, and what must be refused with a part of what is said.
struct Cases {
    holds: &'static [&'static str],
    refused: &'static [(&'static str, &'static str)],
}

/// Libraries that are tried together, and the cases about them; all but the first are other families' that they share.
struct Family {
    libraries: Vec<Library>,
    cases: &'static [&'static Cases],
}

/// Functions that refuse every call, so that a refusal is their case.
const UNANSWERED: [&str; 8] = [
    "allowed",
    "reason",
    "errored",
    "error",
    "verifyImageSignatures",
    "verifyAttestationSignatures",
    "getImageData",
    "extractPayload",
];

/// A certificate request made for these tests.
const CERTIFICATE_REQUEST: &str = "\
-----BEGIN CERTIFICATE REQUEST-----
MIHVMIGAAgEAMBsxGTAXBgNVBAMMEHBhbGlzYWRlLmV4YW1wbGUwXDANBgkqhkiG
9w0BAQEFAANLADBIAkEA9k0r+XR2ABU1O2dNCFH94K0e3wwelu3crvn4uwj9JJsC
UCpzYJhar9QKCe7lddhO6+DmxNSds5Qs3oUjiAck3QIDAQABoAAwDQYJKoZIhvcN
AQELBQADQQDUaTPVaS4CBB+LPQ6Xa4JwV4GKhtHWZUNrbAd6TjPWcyuPv5umt7S+
+8TYVbxbNAuPAPajmg3LHBvtTBNdERrL
-----END CERTIFICATE REQUEST-----
";

fn families() -> Vec<Family> {
    let family = |libraries, cases| Family { libraries, cases };
    let kyverno = [
        libraries::kyverno::libraries(),
        vec![generator::library(), libraries::kyverno::verification_library(), libraries::kyverno::or_value_library()],
    ];
    let namespaced = [libraries::kyverno::namespaced_libraries("own"), vec![generator::namespaced_library()]];
    let standard = vec![libraries::standard::library(), libraries::standard::optional_library()];
    let specification = vec![libraries::standard::specification(), libraries::standard::block()];
    vec![
        family(standard, &[&standard::CASES, &macros::CASES]),
        family(libraries::standard::extensions(), &[&extensions::CASES, &macros::CASES]),
        family(specification, &[&standard::SPECIFICATION, &extensions::CASES, &macros::CASES]),
        family(libraries::kubernetes::libraries(), &[&kubernetes::CASES]),
        family(libraries::kubernetes::network_library(), &[&kubernetes::NETWORK, &kubernetes::CASES]),
        family(kyverno.concat(), &[&kyverno::CASES]),
        family(namespaced.concat(), &[&kyverno::NAMESPACED, &kyverno::CASES]),
    ]
}

impl Family {
    /// The libraries of the family on top of those that every case may use, without the functions and macros that are
    /// not to be kept.
    fn environment(&self, keep: impl Fn(&Function) -> bool, keep_macro: impl Fn(&Macro) -> bool) -> EnvBuilder {
        let shared = [
            vec![libraries::standard::library(), libraries::standard::optional_library()],
            libraries::standard::extensions(),
            libraries::kubernetes::libraries(),
        ];
        let mut all = shared.concat();
        all.extend(self.libraries.iter().cloned());
        for library in &mut all {
            library.functions.retain(&keep);
            library.macros.retain(&keep_macro);
        }
        Env::bare()
            .libraries(all)
            .variable("hour", Type::Duration)
            .variable("moment", Type::Timestamp)
            .variable("object", Type::Dyn)
            .variable("certificate_request", Type::String)
            .variable("authorizer", libraries::kubernetes::authorizer::authorizer_type())
            .variable("pods", libraries::kubernetes::authorizer::resource_check_type())
            .variable("generator", generator::generator_type())
    }

    fn whole(&self) -> Env {
        self.environment(|_| true, |_| true).build()
    }

    /// No other overload of the function's name.
    fn only(&self, function: &Function) -> EnvBuilder {
        self.environment(|other| !same_name(other, function) || other.params == function.params, |_| true)
    }

    fn functions(&self) -> impl Iterator<Item = &Function> {
        self.libraries.iter().flat_map(|library| &library.functions)
    }

    /// Whether one of the cases needs the function, and holds with this overload alone.
    fn covers(&self, function: &Function) -> bool {
        let without = self.environment(|other| !same_name(other, function), |_| true).build();
        let only = self.only(function).build();
        // The compiler takes `dyn` for what it holds, and asks for no function.
        let absent = |source: &str| function.name == "dyn" || without.compile(source).is_err();
        let needs = |source: &str| mentions(source, &function.name) && absent(source);
        if UNANSWERED.contains(&&*function.name) {
            let refused = |part: &str, source| value(&only, source).is_err_and(|error| error.contains(part));
            return self
                .cases
                .iter()
                .flat_map(|cases| cases.refused)
                .any(|(text, part)| needs(text) && refused(part, text));
        }
        self.cases
            .iter()
            .flat_map(|cases| cases.holds)
            .any(|source| needs(source) && value(&only, source) == Ok(true.into()))
    }
}

fn same_name(a: &Function, b: &Function) -> bool {
    (a.style, &a.name) == (b.style, &b.name)
}

/// Whether a text may call the function; functions that only macros call are in none.
fn mentions(source: &str, name: &str) -> bool {
    name.starts_with(['@', '_']) || source.contains(&format!("{name}("))
}

/// What an expression gives, or why it is refused, by the checker or when it is evaluated.
fn value(env: &Env, source: &str) -> Result<Val, String> {
    let program = env.compile(source);
    let program = program.map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))?;
    evaluate(&program)
}

fn evaluate(program: &crate::Program) -> Result<Val, String> {
    let now = "2026-05-03T10:20:30.5Z".parse().unwrap();
    let given = Variables::default();
    let name = |name: &str| name.into();
    let pods = libraries::kubernetes::authorizer::request_resource(
        &name(""),
        &name("pods"),
        &name(""),
        &name("default"),
        &name("a"),
    );
    let variables = Bindings::new()
        .with("hour", Val::Duration(jiff::SignedDuration::from_hours(1)))
        .with("moment", Val::Timestamp(Moment::from(now)))
        .with("object", Val::Null)
        .with("certificate_request", Val::from(CERTIFICATE_REQUEST))
        .with("authorizer", libraries::kubernetes::authorizer::authorizer())
        .with("pods", pods)
        .with("generator", Collector::new().handle(None));
    let scope = Surrounded { environment: Environment::new(now, &Echo, &given), variables };
    program.evaluate(&scope, &mut Budget::default()).map_err(|error| error.to_string())
}

#[test]
fn cases_hold() {
    let mut wrong = Vec::new();
    for family in families() {
        let env = family.whole();
        let Some(own) = family.cases.first() else { continue };
        let outcomes = own.holds.iter().map(|source| (source, value(&env, source)));
        wrong.extend(outcomes.filter(|(_, outcome)| *outcome != Ok(true.into())).map(|found| format!("{found:?}")));
        let refused = own.refused.iter().map(|(source, part)| (source, part, value(&env, source)));
        let refused = refused.filter(|(_, part, outcome)| !outcome.as_ref().is_err_and(|error| error.contains(**part)));
        wrong.extend(refused.map(|found| format!("{found:?}")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_overload_has_a_case() {
    let families = families();
    let uncovered = families.iter().flat_map(|family| {
        let functions = family.functions().filter(|function| !family.covers(function));
        functions.map(|function| call(function, &types(&function.params)))
    });
    let uncovered: Vec<_> = uncovered.collect();
    assert!(uncovered.is_empty(), "without a case: {uncovered:#?}");
}

#[test]
fn every_macro_has_a_case() {
    let key = |item: &Macro| (item.name, item.style, item.arity);
    for family in families() {
        for item in family.libraries.iter().flat_map(|library| &library.macros) {
            let without = family.environment(|_| true, |other| key(other) != key(item)).build();
            let whole = family.whole();
            let decided = |source: &str| {
                mentions(source, item.name)
                    && without.compile(source).is_err()
                    && value(&whole, source) == Ok(true.into())
            };
            let covered = family.cases.iter().flat_map(|cases| cases.holds).any(|source| decided(source));
            assert!(covered, "without a case: {:?}", key(item));
        }
    }
}

#[test]
fn macros_refuse_what_they_cannot_rewrite() {
    let [standard, extensions, specification, ..] = &families()[..] else { panic!("families are missing") };
    let libraries = [&standard.libraries[..], &extensions.libraries, &specification.libraries].concat();
    let env = Family { libraries, cases: &[] }.whole();
    let refused = macros::CASES.refused.iter().map(|(source, part)| (source, part, value(&env, source)));
    let wrong: Vec<_> =
        refused.filter(|(_, part, outcome)| !outcome.as_ref().is_err_and(|error| error.contains(**part))).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn types(params: &[Type]) -> Vec<String> {
    params.iter().map(ToString::to_string).collect()
}

/// A call with these texts as arguments.
fn call(function: &Function, arguments: &[String]) -> String {
    match (function.style, arguments) {
        (Style::Member, [receiver, rest @ ..]) => format!("{receiver}.{}({})", function.name, rest.join(", ")),
        _ => format!("{}({})", function.name, arguments.join(", ")),
    }
}

/// A type of values for a type of a signature.
fn concrete(of: &Type) -> Type {
    match of {
        Type::Param(_) | Type::Dyn => Type::Int,
        Type::List(of) => Type::list(concrete(of)),
        Type::Map(entry) => Type::map(concrete(&entry.0), concrete(&entry.1)),
        Type::Optional(of) => Type::optional(concrete(of)),
        Type::Type(of) => Type::type_of(concrete(of)),
        other => other.clone(),
    }
}

fn is_generic(of: &Type) -> bool {
    matches!(of, Type::Param(_) | Type::Dyn)
}

/// The name of a type as a value: an argument that only generic parameters take.
const ODD: &str = "int";

#[test]
fn wrong_arguments_are_refused_by_the_checker() {
    for family in families() {
        for function in family.functions().filter(|function| !function.name.starts_with('@')) {
            let names: Vec<String> = (0..function.params.len()).map(|position| format!("p{position}")).collect();
            let declared = names.iter().zip(&function.params);
            let env =
                declared.fold(family.only(function), |env, (name, of)| env.variable(&**name, concrete(of))).build();
            let fits = call(function, &names);
            assert!(env.compile(&fits).is_ok(), "{fits} {:?}", function.params);
            if !function.variadic {
                let more = call(function, &[&names[..], &vec![ODD.to_owned(); 9]].concat());
                assert!(env.compile(&more).is_err(), "{more}");
            }
            for position in (0..names.len()).filter(|position| !is_generic(&function.params[*position])) {
                let mut wrong = names.clone();
                wrong[position] = ODD.to_owned();
                let wrong = call(function, &wrong);
                assert!(env.compile(&wrong).is_err(), "{wrong} {:?}", function.params);
            }
        }
    }
}

#[test]
fn wrong_arguments_are_errors_when_types_are_not_checked() {
    for family in families() {
        let env = family.whole();
        let typed = |function: &&Function| !function.params.iter().all(is_generic) && !function.name.starts_with('@');
        // What is no optional stands for itself there.
        let lenient = |function: &&Function| matches!(&*function.name, "or" | "orValue");
        for function in family.functions().filter(typed).filter(|function| !lenient(function)) {
            let source = call(function, &vec![ODD.to_owned(); function.params.len()]);
            let outcome = env.compile_unchecked(&source).map(|program| evaluate(&program));
            assert!(!matches!(outcome, Ok(Ok(_))), "{source}: {outcome:?}");
        }
    }
}
