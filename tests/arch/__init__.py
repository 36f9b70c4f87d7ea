"""Circles of modules in the Rust crates."""
