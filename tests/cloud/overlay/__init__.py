"""Our model of EBS snapshot sharing, loaded into the emulator's process.

The emulator has volumes, queues, rules, functions and keys, each in its own account and Region. What it does not have
is one account seeing another's snapshots. So its snapshot actions are replaced by ours, which share one `World`:

- `wire`       EC2's query protocol: parameters in, XML or an error out
- `clock`      the overlay's own time, and what falls due in it
- `model`      what a snapshot, a copy and a lock are
- `world`      all snapshots of all accounts and Regions, who sees which, and the tags
- `describing`, `sharing`, `copying`, `presigned`, `lifecycle`, `locking`, `tagging`, `volumes`   the actions, one idea
  each
- `databases`  RDS's operations on snapshots of instances and clusters; `dbmodel` says what these are, `dbwire` is RDS's
  protocol, `dbdescribing`, `dbsharing`, `dbcopying` and `dbtagging` are the actions, `dbnotices` the events,
  `dbsteering` what the control client can ask for
- `blocks`     the EBS direct APIs: what is in snapshots
- `keys`       KMS keys as other accounts and EBS see them
- `notices`    EBS's events and how badly they may arrive
- `queries`    saved queries in stacks
- `alarms`     alarms on several metrics in stacks
- `tables`     DynamoDB tables in stacks
- `lagging`    indexes of tables, a moment behind
- `output`     what functions print, without a line lost
- `layers`     the files of functions' layers
- `wildcards`  values with `*` and `?`
- `rules`      faults and spoiled copies: what is to go wrong, where and how often
- `calls`      the record of every EC2, KMS, DynamoDB and RDS call
- `resources`  what a call is about
- `asgi`       requests and answers as the server hands them over
- `gateway`    stands before the emulator: records calls, injects faults, answers the control client
- `steering`   what the control client can ask for
- `install`    puts all of it into the emulator

Everything runs on the server's event loop, one thing at a time; therefore nothing here takes a lock.
"""
