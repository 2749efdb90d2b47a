//! Objects and patches that expressions build; functions have their cases in `library/tests`.

use crate::library::testing::{self, check};
use crate::{Bindings, Budget, Env, Val};

fn evaluate(source: &str) -> String {
    testing::evaluate(&Env::builder().libraries(super::libraries()).build(), &Bindings::new(), source)
}

#[test]
fn objects_and_patches() {
    check(
        evaluate,
        &[
            (
                "Object{spec: Object.spec{replicas: 3, list: [Object.spec.list{a: 'b'}]}}",
                "{\"spec\":{\"replicas\":3,\"list\":[{\"a\":\"b\"}]}}",
            ),
            ("Object{?absent: optional.none()}", "{}"),
            ("Object{spec: Object.spec{replicas: 3}} == Object{spec: Object.spec{replicas: 1 + 2}}", "true"),
            ("has(Object{a: 1}.a) && !has(Object{a: 1}.b)", "true"),
            (
                "JSONPatch{op: 'add', path: '/spec/replicas', value: 3}",
                "{\"op\":\"add\",\"path\":\"/spec/replicas\",\"value\":3}",
            ),
            ("JSONPatch{op: 'move', from: '/a', path: '/b'}", "{\"op\":\"move\",\"path\":\"/b\",\"from\":\"/a\"}"),
            ("quantity('1.5Gi')", "\"1536Mi\""),
        ],
    );
    let env = Env::builder().libraries(super::libraries()).build();
    assert!(env.compile("JSONPatch{op: 1}").is_err());
    assert!(env.compile("JSONPatch{nothing: 1}").is_err());
    let object =
        |source: &str| env.compile(source).unwrap().evaluate(&Bindings::new(), &mut Budget::default()).unwrap();
    let names = |value: &Val| value.downcast::<super::object::DynamicObject>().unwrap().check_type_names();
    assert!(names(&object("Object{spec: Object.spec{a: {'k': Object.spec.a{}}}}")).is_ok());
    assert!(names(&object("Object{spec: Object.other{}}")).is_err());
}
