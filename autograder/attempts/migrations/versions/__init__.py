"""The versions, each in a file: what changed, and how to change it back."""
