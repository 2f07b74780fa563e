"""Hidden tests run in a trusted process; the student's names live in another one.

docs/judge.md gives every rule with an example. Read the modules in this order: `judge` (what
happens to a notebook's cells), `names` (who owns a name), `peer` (how the two processes talk),
`codec` and `shared` (how values cross), `remote` and `tensor` (what stays on the other side).
"""
