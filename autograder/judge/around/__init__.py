"""What a test changes around a call, and how it holds in the student's process."""
