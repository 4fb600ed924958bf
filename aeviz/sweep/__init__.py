"""Sweeps: many runs over values of settings and over seeds, in one table."""
