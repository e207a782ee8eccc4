//! What stands in `transcripts/`: what is typed, and what is answered. `TRYCMD=overwrite cargo test` writes it anew.

#[test]
fn the_program_answers_as_it_is_written() {
    let cases = trycmd::TestCases::new();
    cases.env("TZ", "UTC").env("NO_COLOR", "1").case("tests/it/cli/transcripts/*.trycmd");
}
