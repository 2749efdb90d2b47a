//! How the command line says which programs are read and what they are given.

use std::path::PathBuf;

use palisade_policies::programs::{ProgramOptions, VerificationOptions};

/// What `check` is told about programs.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct ProgramArgs {
    /// Data for Rego policies: JSON and YAML files, or folders of them; may be repeated
    #[arg(long, value_name = "PATH")]
    data: Vec<PathBuf>,
    /// Only Rego packages with these names judge; may be repeated [default: every package with deny, warn or violation rules]
    #[arg(long, value_name = "PACKAGE")]
    namespace: Vec<String>,
    #[command(flatten)]
    verification: VerificationArgs,
}

/// How signed bundles are verified, in the words of `opa`.
#[derive(Clone, Debug, Default, clap::Args)]
struct VerificationArgs {
    /// Key that bundles of Rego policies are signed with: PEM, JSON Web Key, or the secret of an HMAC
    #[arg(long, help_heading = "Signed bundles", value_name = "FILE")]
    verification_key: Option<PathBuf>,
    /// Name of the key, where the signature does not name it
    #[arg(long, help_heading = "Signed bundles", value_name = "NAME", default_value = "default")]
    verification_key_id: String,
    /// Algorithm of the signature
    #[arg(long, help_heading = "Signed bundles", value_name = "NAME", default_value = "RS256")]
    signing_alg: String,
    /// Scope that must be signed for
    #[arg(long, help_heading = "Signed bundles", value_name = "NAME", default_value = "")]
    scope: String,
    /// Do not verify the signatures of bundles
    #[arg(long, help_heading = "Signed bundles", conflicts_with = "verification_key")]
    skip_verify: bool,
}

impl ProgramArgs {
    /// Whether only some Rego packages are to judge.
    pub(crate) const fn names_packages(&self) -> bool {
        !self.namespace.is_empty()
    }

    /// As the policies' reader takes them.
    pub(crate) fn options(&self) -> ProgramOptions {
        let verification = &self.verification;
        ProgramOptions {
            data: self.data.clone(),
            namespaces: self.namespace.clone(),
            verification: VerificationOptions {
                key: verification.verification_key.clone(),
                key_id: verification.verification_key_id.clone(),
                algorithm: verification.signing_alg.clone(),
                scope: verification.scope.clone(),
                skip: verification.skip_verify,
            },
        }
    }
}
