"""Geometry on the sphere: coordinates, frames, finite differences, geostrophic currents, CF metadata."""
