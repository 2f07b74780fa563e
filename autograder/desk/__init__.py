"""The instructor's desk: what a class did, and what is decided about it."""
