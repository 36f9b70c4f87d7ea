"""`make demo`: Snapferry at work on the local AWS, for a person to watch."""
