"""Hidden tests run in a trusted process, and the student's cells run in another process.

docs/judge.md gives every rule with an example. Read the modules in this order: `session` (what
happens to a notebook's cells), `names` (who owns a name), `peer` (how the two processes talk),
`encoder`, `decoder` and `shared` (how values cross), `stand_ins` and `tensor` (what a test holds
in place of a student's object).
"""
