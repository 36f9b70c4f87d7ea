"""What one would write without Snapferry: a handler in Python."""
