"""Programs that build and check the repository; nothing here reaches a student."""
