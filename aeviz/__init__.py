"""aeviz: watch a two-dimensional denoising autoencoder learn.

>>> import aeviz
>>> run = aeviz.train(aeviz.preset("lecture-2021"), epochs=200)
>>> run.field().displacement.shape
(34, 40, 2)
>>> run.close()
"""

from aeviz.core.field import Field
from aeviz.core.presets import preset
from aeviz.core.settings import Settings
from aeviz.run import Run, load, train
from aeviz.version import __version__

__all__ = ["Field", "Run", "Settings", "__version__", "load", "preset", "train"]
