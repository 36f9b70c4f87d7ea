"""Snapferry from outside: the deployed template and the release binaries on the local AWS, with boto3 as the client.

- `packages`   the functions' packages, and the templates that take them from a bucket
- `translate`  the template as CloudFormation gets it
- `deploy`     a stack from the template's plain form, and what one asks of it: copies, audit records
- `records`    audit records, held against the schema
- `ledger`     the stack's table: what stands in it, poison, age, loss
- `accounts`   what source and target accounts do themselves: keys, volumes, snapshots, shares
- `policies`   DLM policy documents
- `faults`     a stack under fire: shares, sweeps, and what settles
- `laws`       the promise, judged from outside: none lost, none twice, none wrong
"""
