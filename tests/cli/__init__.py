"""The operator's command as its users run it."""
