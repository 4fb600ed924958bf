"""A figure's recipe: what the same field is made again from, and how it is written into the figure's file."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aeviz.core.clean_data import CleanData, clean_data
from aeviz.core.field import Grid
from aeviz.core.history import Branch, History
from aeviz.core.packing import PackError, data_of, pack, packed_data, parsed, settings_of, unpack
from aeviz.core.provenance import shareable
from aeviz.core.setting import SettingError
from aeviz.core.settings import SPECS, Settings
from aeviz.core.timeline import Changes, Plan
from aeviz.version import __version__

FORMAT = 1
"""Raised where an older aeviz would misunderstand a recipe; it then says so."""

MOST_TEXT = 4_000_000  # characters
MOST_PANELS = 64
_MOST_CHANGES, _MOST_POINTS, _MOST_UNPACKED = 60_000, 20_000, 4_000_000
_MOST_EPOCHS = int(SPECS["epochs"].high or 0)
_A_VERSION = re.compile(r"[0-9A-Za-z.+-]{1,40}")


@dataclass(frozen=True, eq=False)
class Recipe:
    """What makes a field, and the drawing of it, again.

    Attributes
    ----------
    settings : Settings
        In force at the epoch, and how it was drawn, on which grid.
    epoch : int
        Which one was shown.
    origin : Settings
        With which the run began.
    changes : sequence of (int, Settings)
        Live settings that took effect after these epochs.
    data : CleanData or None
        The clean points, where they are a file's and not too many; others follow from the settings.
    points : (count, checksum) or None
        Of the clean points of a file that are too many.
    version : str
        Of the aeviz that made the figure.
    panels : mapping of str to tuple of numbers
        Where the figure has several panels, the values of "noise" and "epochs" that they show.
    """

    settings: Settings
    epoch: int
    origin: Settings
    changes: Changes = ()
    data: CleanData | None = None
    version: str = __version__
    panels: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    points: tuple[int, int] | None = None

    @classmethod
    def of(cls, branch: Branch, epoch: int, view: Settings, grid: Grid | None = None) -> Recipe:
        """The recipe of an epoch of a branch, drawn as `view`, on another grid perhaps."""
        first = next(iter(branch.timeline), None)
        origin = branch.origin if first is None else first.settings
        changes = branch.timeline.changes_between(0, epoch)
        settings = (changes[-1][1] if changes else origin).shown_as(view)
        if grid is not None and grid != Grid.home(settings, branch.data):
            with contextlib.suppress(SettingError):  # so far in or out that it can be no first view
                settings = settings.replace(extent=grid.extent, grid=grid.shape[::-1])
        data = points = None
        if settings.is_from_file and len(branch.data.points) <= _MOST_POINTS:
            data = branch.data
        elif settings.is_from_file:
            points = _counted(branch.data)
        return cls(settings, epoch, origin.drawn_as(settings), changes, data, points=points)

    @property
    def plan(self) -> Plan:
        """What is to happen to a run that begins with `origin`."""
        return Plan(self.changes, self.epoch)

    @property
    def changes_by_name(self) -> dict[int, dict[str, Any]]:
        """What changes after which epoch, but for how it is drawn."""
        found, before = {}, self.origin
        for epoch, settings in self.changes:
            changed = before.changed(settings.drawn_as(before))
            changed.pop("epochs", None)
            if changed:
                found[epoch] = changed
            before = settings.drawn_as(before)
        return found

    def up_to(self, epoch: int) -> Recipe:
        """The recipe of an epoch before."""
        changes = tuple(change for change in self.changes if change[0] < epoch)
        settings = (changes[-1][1] if changes else self.origin).drawn_as(self.settings)
        return dataclasses.replace(self, settings=settings, epoch=epoch, changes=changes)

    def drawn_as(self, view: Settings) -> Recipe:
        """The same field, on the same grid, drawn otherwise."""
        own = {"grid": self.settings.grid, "extent": self.settings.extent}
        return dataclasses.replace(self, settings=self.settings.drawn_as(view).replace(**own))

    def history(self) -> History:
        """A run that has not begun yet, and will follow this recipe.

        Raises
        ------
        SettingError
            Where its points are those of a file that is not there, or has others.
        """
        history = History()
        branch = history.begin(self.origin, self.clean_data())
        branch.plan = self.plan
        return history

    def clean_data(self) -> CleanData:
        """The clean points.

        Raises
        ------
        SettingError
            Where they are those of a file that is not there, or has others.
        """
        data = self.data or clean_data(self.origin)
        if self.points is not None and self.points != _counted(data):
            raise SettingError(
                f"the {self.points[0]:,} points of {self.origin.data} are needed here, and the file of that "
                "name has others"
            )
        return data

    @property
    def told_settings(self) -> Settings:
        """The settings as they stand in a file that is given away: without the folder of a file of points."""
        return shareable(self.settings)

    def text(self) -> str:
        """The recipe as JSON, in ASCII; of a file of points it tells the name alone, not the folder."""
        values: dict[str, Any] = {
            "recipe": FORMAT, "aeviz": self.version, "epoch": self.epoch,
            "settings": self.told_settings.to_json(),
        }  # fmt: skip
        before = shareable(self.origin)
        if began := self.told_settings.changed(before):
            values["began"] = began
        changes = []
        for epoch, settings in self.changes:
            now = shareable(settings).drawn_as(before)
            changes.append([epoch, before.changed(now)])
            before = now
        if changes:
            values["changes"] = changes
        if self.panels:
            values["panels"] = {name: list(shown) for name, shown in self.panels.items()}
        if self.points is not None:
            values["file"] = list(self.points)
        if self.data is not None:
            told = dataclasses.replace(self.data, note="")  # which names the file with its folder
            packed = zlib.compress(pack(*packed_data(told)), 9)
            values["points"] = base64.b64encode(packed).decode("ascii")
        return json.dumps(values, allow_nan=False, separators=(",", ":"))


def recipe_of(text: str) -> Recipe:
    """Return the recipe of such a text.

    Raises
    ------
    PackError
        Where it is none, or one of a newer aeviz.
    """
    if len(text) > MOST_TEXT:
        raise PackError("its recipe is too long")
    values = parsed(text.encode("ascii", "replace"))
    version = values.get("aeviz")
    if type(version) is not str or not _A_VERSION.fullmatch(version):
        raise PackError("its recipe is not one that aeviz has written")
    if type(values.get("recipe")) is not int or values["recipe"] > FORMAT:
        raise PackError(f"it was written by aeviz {version} and needs it: this is aeviz {__version__}")
    try:
        return _recipe_of(values, version)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, zlib.error) as error:
        raise error if isinstance(error, PackError) else PackError("its recipe is broken") from error


def _recipe_of(values: Mapping[str, Any], version: str) -> Recipe:
    settings, epoch = settings_of(values["settings"]), values["epoch"]
    if type(epoch) is not int or not 0 <= epoch <= _MOST_EPOCHS:
        raise PackError("its recipe has an impossible epoch")
    origin = _changed(settings, values.get("began", {}))
    changes, before, last = [], origin, -1
    if len(values.get("changes", ())) > _MOST_CHANGES:
        raise PackError("its recipe has too many changes")
    for after, changed in values.get("changes", ()):
        before = _changed(before, changed)
        if type(after) is not int or not last < after <= epoch:
            raise PackError("the changes of its recipe are not one after the other")
        last = after
        changes.append((after, before))
    if any(SPECS[name].applies == "rebuild" for name in settings.changed(before)):
        raise PackError("its recipe ends with another run than it began with")
    data = data_of(*_unpacked(values["points"])) if "points" in values else None
    return Recipe(
        settings, epoch, origin, tuple(changes), data, version, _panels_of(values), _counted_in(values)
    )


def _panels_of(values: Mapping[str, Any]) -> dict[str, tuple[float, ...]]:
    panels = {}
    for name, shown in values.get("panels", {}).items():
        fits = name in ("noise", "epochs") and isinstance(shown, list) and 0 < len(shown) <= MOST_PANELS
        if not fits:
            raise PackError("the panels of its recipe are broken")
        checked = [0 if name == "epochs" and value == 0 else SPECS[name].checked(value) for value in shown]
        panels[name] = tuple(checked)
    return panels


def _counted(data: CleanData) -> tuple[int, int]:
    return len(data.points), zlib.crc32(data.points.tobytes())


def _counted_in(values: Mapping[str, Any]) -> tuple[int, int] | None:
    if "file" not in values:
        return None
    count, checksum = values["file"]
    if type(count) is not int or type(checksum) is not int:
        raise PackError("the points of its recipe are broken")
    return count, checksum


def _changed(settings: Settings, values: Mapping[str, Any]) -> Settings:
    return settings_of(values, settings) if values else settings


def _unpacked(text: str) -> tuple[dict[str, Any], Mapping[str, Any]]:
    decompressor = zlib.decompressobj()
    content = decompressor.decompress(base64.b64decode(text, validate=True), _MOST_UNPACKED)
    if decompressor.unconsumed_tail:
        raise PackError("the points of its recipe are too many")
    return unpack(content)
