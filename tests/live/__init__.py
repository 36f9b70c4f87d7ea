"""`make live-test`: one snapshot's way from a source account to its verified copies, in two accounts of the user's own.

`deployed.py` reads what the stack was deployed with, `scenario.py` plays and judges, `removal.py` takes away what was
made, `cost.py` says before what it may cost. The end-to-end tests play the same scenario on the local AWS.
"""
