//! `matchImageReferences`: which images a policy is about, by glob or by expression.

use palisade_cel::Type;
use palisade_cel::admission::{Compiler, Evaluation, Expression, Node, codes};
use palisade_gotext::go_glob;
use regex::Regex;

/// One entry of `matchImageReferences`.
#[derive(Debug)]
pub(super) enum ImagePattern {
    Glob(Regex),
    Expression(Expression),
}

/// The variable that an expression finds the image in.
const REFERENCE: &str = "ref";

impl ImagePattern {
    /// Reads and compiles the entries.
    pub(super) fn compile(compiler: &mut Compiler<'_, '_>, spec: &Node<'_>) -> Vec<Self> {
        compiler.declare(REFERENCE, Type::String);
        let nodes = compiler.reader.list(spec, "matchImageReferences");
        nodes.iter().filter_map(|node| Self::compile_one(compiler, node)).collect()
    }

    fn compile_one(compiler: &mut Compiler<'_, '_>, node: &Node<'_>) -> Option<Self> {
        match compiler.reader.text(node, "glob").filter(|glob| !glob.is_empty()) {
            Some(glob) => {
                let regex = go_glob::compile(&glob, &[]).ok();
                if regex.is_none() {
                    let (path, help) = (node.path.child("glob"), "use `*`, `?`, `[a-z]` and `{a,b}`");
                    compiler.reader.error(codes::UNKNOWN_NAME, &path, format!("`{glob}` is not a glob"), help);
                }
                regex.map(Self::Glob)
            }
            None => compiler.required(node, "expression", &[Type::Bool]).map(Self::Expression),
        }
    }

    /// Whether one of the patterns, or none at all, lets the image through.
    pub(super) fn any_matches(patterns: &[Self], image: &str, evaluation: &Evaluation<'_>) -> Result<bool, String> {
        if patterns.is_empty() {
            return Ok(true);
        }
        for pattern in patterns {
            let matches = match pattern {
                Self::Glob(regex) => regex.is_match(image),
                Self::Expression(expression) => {
                    let evaluation = evaluation.again().with(REFERENCE, image);
                    expression.decide(&evaluation).map_err(|failure| failure.to_string())?
                }
            };
            if matches {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
