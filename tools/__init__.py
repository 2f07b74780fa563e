"""Programs that build and check the repository. Students don't get them."""
