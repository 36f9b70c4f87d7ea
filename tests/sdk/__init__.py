"""Tests of what becomes of AWS's SDK crates."""
