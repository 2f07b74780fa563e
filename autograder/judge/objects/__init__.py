"""What a test holds in place of a student's object, and a student's code in place of a test's."""
