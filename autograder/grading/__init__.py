"""A class is graded: prepare → execute → score → record, and what is shown of it."""
