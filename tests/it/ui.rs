//! What compiles and what does not, and what the user is told.

#[test]
fn mistakes_are_told_at_their_own_tokens() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    cases.compile_fail("tests/ui/fail/*.rs");
}
