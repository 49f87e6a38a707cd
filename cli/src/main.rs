//! `agw`: run, watch, serve and replay Agent Gateway sessions.
#![allow(dead_code)]

mod exit_code;
mod render;
mod tools;

fn main() {}
