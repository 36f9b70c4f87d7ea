"""Whom the functions believe."""
