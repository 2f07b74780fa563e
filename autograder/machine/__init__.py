"""What this machine has for grading, and how fast it grades."""
