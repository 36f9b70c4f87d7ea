"""A function by itself, against a stub that serves pages from memory: what a sweep costs in time and memory."""
