//! Terraform, OpenTofu and other configuration in HCL.
//!
//! Text: a block has no value before its expressions are evaluated. Absent: blocks and expressions.

use super::{Form, Kind, Name};

/// See the module.
#[derive(Debug)]
pub(super) struct Hcl;

impl Kind for Hcl {
    fn id(&self) -> &'static str {
        "hcl"
    }

    fn summary(&self) -> &'static str {
        "Terraform, OpenTofu and other HCL, as text"
    }

    fn claims(&self, name: Name<'_>) -> bool {
        name.has_extension(&["tf", "tfvars", "tofu", "hcl"])
    }

    fn form(&self) -> Form {
        Form::Text
    }
}
