"""What the instructor's notebook says about names, and what its tests may not ask for."""
