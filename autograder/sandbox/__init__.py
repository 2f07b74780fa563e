"""Processes for student code: forked warm, isolated from the machine, bounded, killed whole."""
