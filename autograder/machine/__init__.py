"""Commands about the machine: what it has for grading, and how fast it grades."""
