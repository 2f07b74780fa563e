"""What an author of assignments uses: release, verify, mutants, leaks, thresholds."""
