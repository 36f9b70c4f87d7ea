"""`make bench`: Snapferry beside the least that is possible, and beside what one would write instead."""
