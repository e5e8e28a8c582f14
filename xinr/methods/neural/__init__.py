"""Implicit neural representations: networks that are functions of position and time, and how they are trained."""
