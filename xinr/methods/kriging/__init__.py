"""Kriging of a whole period at once, by the space-time spectrum of the signal."""
