//! `strings.render_template`: the template language of Go's `text/template`.
//!
//! Actions, pipelines, variables, `if`, `range`, `with`, `define`, `template` and `block`, and the predefined
//! functions. Numbers of the data are texts to templates, as they are in OPA (`json.Number`); what is missing reads
//! `<undefined>`. Deliberately absent: methods and functions as values, which JSON does not have.

mod functions;
mod item;
mod parse;
mod run;
mod token;

use palisade_rego_value::Value;

use super::declare::builtin;
use super::{Answer, Builtin, BuiltinError, Context, answer, operands};
use crate::types::Type;

const VARIABLES: Type = Type::Object(&Type::String, &Type::Any);

/// The family.
pub(super) const BUILTINS: &[Builtin] =
    &[builtin("strings.render_template", &[Type::String, VARIABLES], Type::String, render)];

fn render(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let text = operands::string(operands, 1)?;
    operands::object(operands, 2)?;
    context.grow(text.len().saturating_mul(2))?;
    let templates = parse::templates(text).map_err(|message| failed(&message))?;
    answer(run::execute(context, &templates, operands::any(operands, 2)?)?)
}

fn failed(message: &str) -> BuiltinError {
    BuiltinError::Failed(format!("template: {message}"))
}

#[cfg(test)]
mod tests {
    use crate::builtins::testing::call;

    fn render(template: &str, variables: &str) -> String {
        call("strings.render_template", &[&format!("{template:?}"), variables])
    }

    #[test]
    fn templates_render_as_in_go() {
        let variables = r#"{"a": "x", "n": 0, "list": ["p", "q"], "map": {"k": 1, "j": null}, "t": true, "e": ""}"#;
        for (template, expected) in [
            ("{{.a}}-{{ .n -}}  !", "x-0!"),
            ("{{.list}} {{.map}} {{.none}} {{.none.deep}}", "[p q] map[j:<nil> k:1] <undefined> <undefined>"),
            ("{{range $i, $v := .list}}{{if $i}},{{end}}{{$i}}={{$v}}{{end}}", "0=p,1=q"),
            ("{{range .none}}x{{else}}empty{{end}}", "empty"),
            ("{{range $k, $v := .map}}{{$k}}{{end}}", "jk"),
            ("{{if .e}}a{{else if .n}}b{{else}}c{{end}}", "b"),
            ("{{with .map}}{{.k}}{{$.a}}{{end}}", "1x"),
            ("{{$x := 1}}{{range .list}}{{$x = 2}}{{end}}{{$x}}", "2"),
            ("{{.a | printf \"%s-%d\" \"b\" | len}}", "15"),
            ("{{index .map \"k\"}}{{index .list 1}}{{slice .a 0 1}}", "1qx"),
            ("{{and .t .a}} {{or .e \"d\"}} {{not .t}}", "x d false"),
            ("{{eq .a \"x\" \"y\"}} {{ne 1 2}} {{lt 1 2}} {{ge \"b\" \"a\"}}", "true true true true"),
            ("{{/* nothing */}}{{print 1 2 \"a\" \"b\"}}{{println 1}}", "1 2ab1\n"),
            ("{{define \"t\"}}[{{.}}]{{end}}{{template \"t\" .a}}{{block \"b\" .n}}({{.}}){{end}}", "[x](0)"),
            ("{{range .list}}{{if eq . \"q\"}}{{break}}{{end}}{{.}}{{end}}", "p"),
            ("{{(index .list 0)}}{{html \"<&>\"}}{{urlquery \"a b\"}}", "p&lt;&amp;&gt;a+b"),
            ("{{`raw`}} {{'a'}} {{1.5}} {{true}}", "raw 97 1.5 true"),
        ] {
            assert_eq!(render(template, variables), format!("{expected:?}"), "{template}");
        }
    }

    #[test]
    fn mistakes_are_errors() {
        for template in [
            "{{",
            "{{end}}",
            "{{if .a}}",
            "{{.a.b}}",
            "{{nothing}}",
            "{{$x}}",
            "{{index .a 1}}",
            "{{template \"x\"}}",
            "{{define \"t\"}}{{template \"t\"}}{{end}}{{template \"t\"}}",
            "{{break}}",
            "{{eq 1 \"1\"}}",
            "{{range \"abc\"}}{{end}}",
        ] {
            let answer = render(template, r#"{"a": "x"}"#);
            assert!(answer.starts_with("error: template: "), "{template}: {answer}");
        }
    }
}
