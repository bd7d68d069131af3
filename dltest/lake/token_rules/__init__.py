"""What a storage must do with tokens, right and wrong: rules as data, and their trial.

`catalogue` has the rules; `bearers` finds each rule its token, where the lake's settings are;
`trial` tries one in a mover, by plain HTTP, since a client library would straighten the very
paths that are the question.
"""
