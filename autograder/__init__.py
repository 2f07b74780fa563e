"""Releases, verifies and grades the assignments of an nbgrader course."""
