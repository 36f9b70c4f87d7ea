"""Circles of modules in the Rust crates, and files that are too long."""
