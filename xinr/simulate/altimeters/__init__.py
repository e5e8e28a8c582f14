"""The altimeters that sample a sea: orbits, tracks, swaths, errors, land."""
