"""Replacements in the judge's process, with which a test means the same as in one process."""
