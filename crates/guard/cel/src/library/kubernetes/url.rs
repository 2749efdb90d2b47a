//! `url('https://example.com:80/path?k=v')` and what it can be asked.

use std::any::Any;

use palisade_model::Value;

use crate::library::{Call, Cost, Function, Library, mismatch};
use crate::value::Opaque;
use crate::{Entries, EvalError, Key, Type, Val};

mod parse;

pub(super) use parse::UrlParts;

#[derive(Debug)]
struct UrlVal(UrlParts);

fn url_type() -> Type {
    Type::opaque("kubernetes.URL")
}

impl Opaque for UrlVal {
    fn opaque_type(&self) -> Type {
        url_type()
    }

    fn equals(&self, other: &dyn Opaque) -> bool {
        other.as_any().downcast_ref::<Self>().is_some_and(|other| self.0 == other.0)
    }

    fn to_value(&self) -> Result<Value, EvalError> {
        Ok(Value::from(self.0.to_string()))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

pub(super) fn library() -> Library {
    let part = |name, call| Function::member(name, [url_type()], Type::String, call);
    Library::of(
        "kubernetes.urls",
        [
            Function::global("url", [Type::String], url_type(), url).cost(Cost::Sizes),
            Function::global("isURL", [Type::String], Type::Bool, is_url).cost(Cost::Sizes),
            part("getScheme", |_, args| receiver("getScheme", args).map(|url| Val::from(url.scheme.as_str()))),
            part("getHost", |_, args| receiver("getHost", args).map(|url| Val::from(url.host.as_str()))),
            part("getHostname", |_, args| receiver("getHostname", args).map(|url| Val::from(url.host_and_port().0))),
            part("getPort", |_, args| receiver("getPort", args).map(|url| Val::from(url.host_and_port().1))),
            part("getEscapedPath", |_, args| receiver("getEscapedPath", args).map(|url| Val::from(url.escaped_path()))),
            Function::member("getQuery", [url_type()], Type::map(Type::String, Type::list(Type::String)), query),
        ],
    )
}

/// A URL in the JSON shape of Go's `url.URL`.
pub(crate) fn url_fields(text: &str) -> Result<Value, String> {
    UrlParts::parse(text).map(|url| url.to_fields())
}

fn url(_: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let [Val::String(text)] = args else { return Err(mismatch("url", args)) };
    // The strict form decides whether it is a URL; the other one knows fragments.
    UrlParts::parse_request(text)
        .and_then(|_| UrlParts::parse(text))
        .map(|url| Val::opaque(UrlVal(url)))
        .map_err(|error| EvalError::invalid(format_args!("URL parse error during conversion from string: {error}")))
}

fn is_url(_: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let [Val::String(text)] = args else { return Err(mismatch("isURL", args)) };
    Ok(Val::Bool(UrlParts::parse_request(text).is_ok()))
}

fn receiver<'a>(function: &str, args: &'a [Val]) -> Result<&'a UrlParts, EvalError> {
    args.first().and_then(Val::downcast::<UrlVal>).map(|url| &url.0).ok_or_else(|| mismatch(function, args))
}

fn query(_: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let mut entries = Entries::new();
    let pairs = receiver("getQuery", args)?.query_pairs();
    for (key, values) in pairs {
        let values: Vec<_> = values.into_iter().map(Val::from).collect();
        let _repeated = entries.insert(Key::String(key.into()), Val::list(values));
    }
    Ok(Val::map(entries))
}
