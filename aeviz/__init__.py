"""aeviz: watch a two-dimensional denoising autoencoder learn.

>>> import aeviz
>>> run = aeviz.train(aeviz.preset("lecture-2021"), epochs=200)
>>> field = run.field()
>>> field.displacement.shape
(34, 40, 2)
>>> bool((field.ambiguity > 2.0).any())  # there are places between the arms
True
>>> run.close()

Settings are frozen and always valid; `replace` makes others.

>>> aeviz.Settings(noise=0.4).replace(code=1).noise
0.4
>>> aeviz.Settings(noise=4.0)
Traceback (most recent call last):
...
aeviz.core.setting.SettingError: --noise cannot be '4': it must be 0 to 1
"""

from aeviz.core.field import Field
from aeviz.core.metrics import Metrics
from aeviz.core.presets import preset
from aeviz.core.settings import Settings
from aeviz.panels import train_panels
from aeviz.run import Run
from aeviz.runs import load, train
from aeviz.version import __version__

__all__ = ["Field", "Metrics", "Run", "Settings", "__version__", "load", "preset", "train", "train_panels"]
