//! `url('https://example.com:80/path?k=v')` and what it can be asked.

use palisade_gotext::go_url::Url;

use crate::library::textual::Textual;
use crate::library::{Call, Cost, Function, Library, mismatch};
use crate::{Entries, EvalError, Key, Type, Val};

impl Textual for Url {
    const NAME: &'static str = "kubernetes.URL";
}

pub(super) fn library() -> Library {
    let part = |name, call| Function::member(name, [Url::cel_type()], Type::String, call);
    Library::of(
        "kubernetes.urls",
        [
            Function::global("url", [Type::String], Url::cel_type(), url).cost(Cost::Sizes),
            Function::global("isURL", [Type::String], Type::Bool, is_url).cost(Cost::Sizes),
            part("getScheme", |_, args| Url::receiver("getScheme", args).map(|url| Val::from(url.scheme.as_str()))),
            part("getHost", |_, args| Url::receiver("getHost", args).map(|url| Val::from(url.host.as_str()))),
            part("getHostname", |_, args| {
                Url::receiver("getHostname", args).map(|url| Val::from(url.host_and_port().0))
            }),
            part("getPort", |_, args| Url::receiver("getPort", args).map(|url| Val::from(url.host_and_port().1))),
            part("getEscapedPath", |_, args| {
                Url::receiver("getEscapedPath", args).map(|url| Val::from(url.escaped_path()))
            }),
            Function::member("getQuery", [Url::cel_type()], Type::map(Type::String, Type::list(Type::String)), query),
        ],
    )
}

fn url(_: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let [Val::String(text)] = args else { return Err(mismatch("url", args)) };
    // The strict form decides whether it is a URL; the other one knows fragments.
    Url::parse_request(text)
        .and_then(|_| Url::parse(text))
        .map(Val::opaque)
        .map_err(|error| EvalError::invalid(format_args!("URL parse error during conversion from string: {error}")))
}

fn is_url(_: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let [Val::String(text)] = args else { return Err(mismatch("isURL", args)) };
    Ok(Val::Bool(Url::parse_request(text).is_ok()))
}

fn query(_: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let mut entries = Entries::new();
    let pairs = Url::receiver("getQuery", args)?.query_pairs();
    for (key, values) in pairs {
        let values: Vec<_> = values.into_iter().map(Val::from).collect();
        let _repeated = entries.insert(Key::String(key.into()), Val::list(values));
    }
    Ok(Val::map(entries))
}
