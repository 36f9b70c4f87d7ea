"""`make live-probes`: what Snapferry rests on and nobody has seen, asked of two accounts of the user's own.

`questions.py` lists the questions, each with its probe, and those that cannot be asked like this. `ground.py` is where
a probe stands: two accounts, two Regions, and what was made there; `roles.py` makes roles there. `copies.py`,
`sharing.py`, `rights.py` and `odds.py` hold the probes. `report.py` makes the file that a user can send back, and
compares two. The tests ask the local AWS the same.
"""
