use crate::testing::call;

fn print(format: &str, values: &str) -> String {
    call("sprintf", &[&format!("{format:?}"), values])
}

#[test]
fn values_print_as_in_opa() {
    for (format, values, expected) in [
        ("hi %s, %v", r#"["you", {"a": [1, 1.5]}]"#, r#"hi you, {"a": [1, 1.5]}"#),
        (
            "%d %5d|%-5d|%05d %+d %x %X %b %o %c %q %U",
            "[1, 2, 3, -4, 5, 255, 255, 5, 8, 65, 65, 65]",
            "1     2|3    |-0004 +5 ff FF 101 10 A 'A' U+0041",
        ),
        (
            "%f %.2f %8.3f|%e %g %v %v %G",
            "[1.5, 3.14159, 2.5, 1500.5, 1e-7, 1234567.5, 0.5, 1e-7]",
            "1.500000 3.14    2.500|1.500500e+03 1e-07 1.2345675e+06 0.5 1E-07",
        ),
        (
            "%s %q %x % X %10s|%-6s|%.2s",
            r#"["a", "b\"", "hi", "hi", "r", "l", "cut"]"#,
            r#"a "b\"" 6869 68 69          r|l     |cu"#,
        ),
        ("%d %v", "[123456789012345678901234567890, 2e308]", "123456789012345678901234567890 2e308"),
        ("%T %T %T %T", r#"["a", 1, 1.5, true]"#, "string int64 float64 string"),
        ("100%% %t", "[true]", "100% %!t(string=true)"),
    ] {
        assert_eq!(print(format, values), format!("{expected:?}"), "{format}");
    }
}

#[test]
fn what_does_not_fit_is_told_in_the_text() {
    for (format, values, expected) in [
        ("%d", r#"["hi"]"#, "%!d(string=hi)"),
        ("%s", "[1]", "%!s(int64=1)"),
        ("%d", "[1.5]", "%!d(float64=1.5)"),
        ("%d %d", "[1]", "1 %!d(MISSING)"),
        ("%d", "[1, \"x\"]", "1%!(EXTRA string=x)"),
        ("%", "[]", "%!(NOVERB)"),
        ("%[2]d %[1]d", "[1, 2]", "2 1"),
        ("%[3]d", "[1]", "%!d(BADINDEX)"),
        ("%*d", "[5, 1]", "    1"),
        ("%*d", "[\"a\", 1]", "%!(BADWIDTH)1"),
        ("%!", "[1]", "%!!(int64=1)"),
    ] {
        assert_eq!(print(format, values), format!("{expected:?}"), "{format}");
    }
}
