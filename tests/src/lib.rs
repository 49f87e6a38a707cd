//! Nothing here: the tests are in `it/`. The README's example is compiled with them.

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
