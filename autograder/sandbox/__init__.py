"""Processes for student code: forked from a warm process, isolated, bounded."""
