"""Generates, loads, reads back and compares the items of the demo and the end-to-end tests."""
