"""Tools for authors of assignments: release, verify, mutants, leaks, thresholds."""
