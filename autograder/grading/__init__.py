"""Grades a class (prepare → execute → score → record), and shows the results."""
