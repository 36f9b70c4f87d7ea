"""Cuts copies of AWS's published SDK crates down to the operations that the project uses."""
