"""Quasi-geostrophic seas."""
