"""Values of libraries that cross by value: how each type is taken apart and put together."""
