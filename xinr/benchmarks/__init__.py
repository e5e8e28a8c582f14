"""Benchmarks: xinr beside its peers, on the same data in one run. ``python -m xinr.benchmarks.med2021 FOLDER``."""
