"""The items of the demo and of the end-to-end tests: made, loaded, read back, compared."""
