"""What one setting is: its range, its words, and how it is read from and written as text."""

from __future__ import annotations

import dataclasses
import difflib
import math
from dataclasses import dataclass
from typing import Any, Literal, cast

Applies = Literal["live", "rebuild", "view"]
MOST_TEXT = 120  # characters of a text
_MOST_SHOWN = 60  # characters of a refused value that its message repeats


class SettingError(ValueError):
    """A setting has an impossible value or an unknown name; the text is one line for the user."""


@dataclass(frozen=True, slots=True)
class Spec:
    """One row of the settings table.

    Sliders, command-line options, the help panel and the README's table are all made from it.

    Attributes
    ----------
    name : str
        The field's name in `Settings`; the option is the name with dashes.
    default : Any
        Its type decides how the setting is read: bool, int, float, str (one of `choices`, or any text
        where there are none), or a tuple of numbers.
    applies : {"live", "rebuild", "view"}
        ``live``: from the next epoch on. ``rebuild``: makes new data or a new network.
        ``view``: changes the drawing only.
    low, high : float or None
        The range, ends included, of the number or of each number of a tuple.
    step : float or None
        One step of the slider or spin box; on a logarithmic scale the factor of one step.
    length : tuple of int or None
        The least and the greatest number of numbers in a tuple.
    whole : bool
        Whether the numbers of a tuple are whole.
    files : tuple of str
        Endings of files that may be named instead of one of the choices.
    """

    name: str
    default: Any
    label: str
    help: str
    group: str
    applies: Applies
    symbol: str = ""
    unit: str = ""
    low: float | None = None
    high: float | None = None
    step: float | None = None
    scale: Literal["linear", "log"] = "linear"
    choices: tuple[str, ...] = ()
    length: tuple[int, int] | None = None
    whole: bool = False
    files: tuple[str, ...] = ()

    @property
    def option(self) -> str:
        """The name as it is typed on the command line."""
        return "--" + self.name.replace("_", "-")

    @property
    def title(self) -> str:
        """The label with its symbol, as it stands beside a control."""
        return f"{self.label} {self.symbol}".strip()

    @property
    def separator(self) -> str:
        """What stands between the numbers of a tuple in text: ``40x34`` but ``64,64``."""
        return "x" if self.unit in ("cells", "size unit") else ","

    @property
    def is_text(self) -> bool:
        """Whether any text is a value."""
        return isinstance(self.default, str) and not self.choices

    @property
    def range(self) -> str:
        """The allowed values in words, for messages and tables."""
        if self.choices:
            return ", ".join(self.choices) + (f", or a file: {', '.join(self.files)}" if self.files else "")
        if isinstance(self.default, bool):
            return "on or off"
        if self.is_text:
            return f"a line of up to {MOST_TEXT} characters"
        span = f"{_number_text(self.low)} to {_number_text(self.high)}"
        if self.length is None:
            return span
        least, most = self.length
        how_many = f"{least}" if least == most else f"{least} to {most}"
        return f"{how_many} numbers, each {span}"

    def checked(self, value: Any) -> Any:
        """Return `value` in this setting's own type.

        Raises
        ------
        SettingError
            Where the value is of another kind or out of range.
        """
        if self.choices:
            return self._checked_choice(value)
        if isinstance(self.default, bool):
            if isinstance(value, bool):
                return value
            raise self._error(value)
        if self.is_text:
            if isinstance(value, str) and len(value) <= MOST_TEXT and value.isprintable():
                return value
            raise self._error(value)
        if isinstance(self.default, tuple):
            if not isinstance(value, list | tuple) or self.length is None:
                raise self._error(value)
            if not self.length[0] <= len(value) <= self.length[1]:
                raise self._error(value)
            if (floats := self._floats(value)) is not None:
                return floats
            return tuple(self._checked_number(each, int if self.whole else float) for each in value)
        return self._checked_number(value, type_of=type(self.default))

    def parsed(self, text: str) -> Any:
        """Read a value from text, as typed on the command line or into a field of the window.

        Raises
        ------
        SettingError
            Where the text is no such value.
        """
        text = text.strip()
        if isinstance(self.default, bool):
            words = {"on": True, "true": True, "yes": True, "1": True}
            words |= {"off": False, "false": False, "no": False, "0": False}
            if text.lower() not in words:
                raise self._error(text)
            return words[text.lower()]
        if self.choices or self.is_text:
            return self.checked(text)
        if isinstance(self.default, tuple):
            parts = [p for p in text.replace("×", "x").replace("x", ",").split(",") if p.strip()]
            return self.checked(tuple(self._number(part) for part in parts))
        return self.checked(self._number(text))

    def text(self, value: Any) -> str:
        """Write a value so that `parsed` reads it back unchanged."""
        if isinstance(value, bool):
            return "on" if value else "off"
        if isinstance(value, tuple):
            return self.separator.join(_number_text(each) for each in value)
        return value if isinstance(value, str) else _number_text(value)

    def _floats(self, values: list[Any] | tuple[Any, ...]) -> tuple[float, ...] | None:
        """The values where all is well with them, checked at once: of drawn points there are thousands."""
        if self.whole or not values or not {*map(type, values)} <= {int, float}:
            return None
        try:
            floats = tuple(value + 0.0 for value in values)  # no −0.0: settings are told apart by ==
        except OverflowError:
            return None
        if self.low is None or self.high is None or math.isnan(sum(floats)):
            return None
        return floats if self.low <= min(floats) and max(floats) <= self.high else None

    def _number(self, text: str) -> float:
        try:
            return float(text.strip().replace("−", "-"))
        except ValueError:
            raise self._error(text) from None

    def _checked_number(self, value: Any, type_of: type) -> float | int:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._error(value)
        if isinstance(value, float) and not math.isfinite(value):
            raise self._error(value)
        if type_of is int and value != int(value):
            raise self._error(value)
        if (self.low is not None and value < self.low) or (self.high is not None and value > self.high):
            raise self._error(value)
        return cast("float | int", type_of(value + 0))  # no −0.0

    def _checked_choice(self, value: Any) -> str:
        if value in self.choices:
            return cast(str, value)
        if isinstance(value, str) and value.lower().endswith(self.files or "\0"):
            return value
        guess = nearest(str(value), self.choices)
        raise SettingError(f"{self.option} cannot be {_shown(str(value))}{guess}; it is one of {self.range}")

    def _error(self, value: Any) -> SettingError:
        shown = value if isinstance(value, str) else self.text(value) if value is not None else "nothing"
        whole = "a whole number, " if type(self.default) is int else ""
        return SettingError(f"{self.option} cannot be {_shown(shown)}: it must be {whole}{self.range}")


def setting(default: Any, label: str, help: str, **rest: Any) -> Any:
    """Declare a dataclass field that carries its row of the settings table."""
    return dataclasses.field(default=default, metadata={"label": label, "help": help, **rest})


def nearest(name: str, names: tuple[str, ...]) -> str:
    """Return " (did you mean …?)" with the most similar of `names`, or nothing."""
    close = difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.5)
    return f" (did you mean {close[0]}?)" if close else ""


def _shown(text: str) -> str:
    return repr(text if len(text) <= _MOST_SHOWN else text[:_MOST_SHOWN] + "…")


def _number_text(value: object) -> str:
    if isinstance(value, float):
        return repr(value).removesuffix(".0") if abs(value) < 1e15 else repr(value)
    return str(value)
