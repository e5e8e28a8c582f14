"""Any method in overlapping tiles of the sphere."""
