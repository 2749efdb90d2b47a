//! `strings.render_template`: the template language of Go's `text/template`.
//!
//! Numbers of the data are texts to templates, as they are in OPA (`json.Number`), and sets are lists.

use std::sync::Arc;

use palisade_gotext::go_template::{Item, Template, TemplateError};
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
    let template = Template::parse(text).map_err(failed)?;
    let data = item(context, operands::any(operands, 2)?)?;
    answer(template.execute(context.budget, &data).map_err(failed)?)
}

fn failed(error: TemplateError) -> BuiltinError {
    match error {
        TemplateError::Spent(spent) => spent.into(),
        TemplateError::Wrong(message) => BuiltinError::Failed(format!("template: {message}")),
    }
}

/// A value as templates see it; texts are shared.
fn item(context: &mut Context<'_>, value: &Value) -> Result<Item, BuiltinError> {
    Ok(match value {
        Value::Null => Item::Missing,
        Value::Bool(value) => Item::Bool(*value),
        Value::Number(number) => Item::Number(number.to_string().into()),
        Value::String(text) => Item::Text(text.clone()),
        Value::Array(items) => list(context, items)?,
        Value::Set(set) => list(context, set.as_slice())?,
        Value::Object(members) => {
            context.collect(members.len() * 2)?;
            let members = members.iter().map(|(key, value)| Ok((key.to_key(), item(context, value)?)));
            Item::Map(Arc::new(members.collect::<Result<_, BuiltinError>>()?))
        }
    })
}

fn list(context: &mut Context<'_>, items: &[Value]) -> Result<Item, BuiltinError> {
    context.collect(items.len())?;
    let items = items.iter().map(|value| item(context, value)).collect::<Result<Vec<_>, _>>()?;
    Ok(Item::List(items.into()))
}

#[cfg(test)]
mod tests {
    use crate::testing::call;

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
