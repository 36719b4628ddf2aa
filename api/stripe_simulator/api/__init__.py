"""The objects of the API, a module for each of its paths."""
