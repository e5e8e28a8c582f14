"""Simulated altimeters: orbits, tracks, swaths, errors, land."""
