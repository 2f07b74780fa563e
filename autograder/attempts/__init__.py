"""The attempt service: a record of first attempts that a student can't rewrite."""
