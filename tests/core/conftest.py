"""Hypothesis without deadlines: how long an example takes on a busy machine says nothing."""

from hypothesis import settings

settings.register_profile("aeviz", deadline=None)
settings.load_profile("aeviz")
