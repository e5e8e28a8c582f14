"""Quasi-geostrophic simulations of the ocean."""
