"""Hidden tests run in a trusted process, and the student's cells run in another process.

docs/judge.md gives every rule with an example. Read in this order: `session` (what happens to a
notebook's cells), `notebook/names` (who owns a name), `wire/peer` (how the two processes talk),
`wire/encoder`, `wire/decoder` and `wire/shared` (how values cross), `objects/stand_ins` and
`objects/tensor` (what a test holds in place of a student's object).
"""
