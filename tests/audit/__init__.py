"""What a security team reads: metrics, alarms, dashboard, queries and runbook, made out of the audit's lines.

- `lines`       recorded audit lines: one of each reason and of each kind of sweep; the library's tests keep them true
- `template`    the SAM template as CloudFormation gets it, with its parameters' defaults
- `cloudwatch`  metrics out of lines, and what an alarm makes of them: a model of CloudWatch's documentation
- `insights`    the part of Logs Insights' language that the saved queries use, over lines

The local AWS does neither extract metrics from lines nor evaluate alarms by period and dimension, and its Logs Insights
knows neither members of JSON nor `stats`. Hence these models: what passes here agrees with them, not with AWS itself.
"""
