"""Recipes inside the files of figures: PNG, SVG, PDF, MP4, GIF and NPZ.

All but NPZ carry the same bytes, ``<aeviz:recipe>{…}</aeviz:recipe>``, where their format has room for words:
so they are found in each without knowing more of it, and survive whoever moves them about in the file.
"""

from __future__ import annotations

import io
import mmap
import stat
import zipfile
import zlib
from pathlib import Path

import numpy as np

from aeviz.core.files import RUN, FileError
from aeviz.core.packing import PackError
from aeviz.core.recipe import MOST_TEXT, Recipe, recipe_of
from aeviz.core.run_file import SavedRun, read_run

SUFFIXES = (".png", ".svg", ".pdf", ".npz", ".mp4", ".gif")
NAMESPACE = "https://aeviz.org/ns/1.0/"
_BEGIN, _END = b"<aeviz:recipe>", b"</aeviz:recipe>"
_MOST_BYTES = 4 * 2**30
_SEARCHED = 64 * 2**20  # bytes at the beginning and at the end of a file, where a recipe can be
_MOST_DIRECTORY = 100_000  # bytes of an NPZ's list of arrays: of ours it has about a thousand
_DIRECTORY, _LARGER_DIRECTORY = b"PK\5\6", b"PK\6\7"  # what stands behind it
_DIRECTORY_END, _MOST_COMMENT = 22, 2**16
_KNOWN = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # how an array can be packed: others unpack all at once
_IHDR_END = 33  # signature and the first chunk of a PNG
_NPZ_KEY = "recipe"


def marked(recipe: Recipe) -> str:
    """The recipe between its marks; ASCII that no XML parser minds."""
    text = recipe.text().translate({ord(each): f"\\u{ord(each):04x}" for each in "<>&"})
    return f"{_BEGIN.decode()}{text}{_END.decode()}"


def png_with(content: bytes, recipe: Recipe) -> bytes:
    """A PNG file with a tEXt chunk "aeviz" before its pixels."""
    chunk = b"tEXt" + b"aeviz\0" + marked(recipe).encode("ascii")
    framed = (len(chunk) - 4).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    return content[:_IHDR_END] + framed + content[_IHDR_END:]


def svg_with(content: bytes, recipe: Recipe) -> bytes:
    """An SVG file with a metadata element in its first one."""
    start = content.index(b">", content.index(b"<svg")) + 1
    element = f'\n<metadata xmlns:aeviz="{NAMESPACE}">{marked(recipe)}</metadata>'
    return content[:start] + element.encode("ascii") + content[start:]


def xmp(recipe: Recipe, title: str) -> bytes:
    """A packet of metadata for a PDF file."""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
        '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        f'xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:aeviz="{NAMESPACE}">\n'
        f'<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>\n'
        f"<xmp:CreatorTool>aeviz {recipe.version}</xmp:CreatorTool>\n"
        f"{marked(recipe)}\n</rdf:Description></rdf:RDF></x:xmpmeta>\n"
        '<?xpacket end="w"?>'
    ).encode()


def gif_extension(recipe: Recipe, title: str) -> bytes:
    """An extension of a GIF file with the packet of metadata, as Adobe's XMP specification, part 3, has it.

    It is not cut into blocks of 255 bytes: who reads it as such, each byte as the next one's length, comes
    out somewhere in the bytes that fall from 255 to 0 behind it, and so at its end.
    """
    fall = bytes((1, *range(255, -1, -1), 0))
    return b"!\xff\x0bXMP DataXMP" + xmp(recipe, title) + fall


def recipe_in(path: str | Path) -> Recipe:
    """The recipe that a figure's file carries.

    Raises
    ------
    FileError
        Where it cannot be read or carries none.
    """
    try:
        return recipe_of(_text_in(Path(path)))
    except PackError as error:
        cause = str(error)
    except (OSError, ValueError) as error:  # ValueError: NUL in a name
        cause = " ".join(str(getattr(error, "strerror", None) or error).split())
    raise FileError(f"cannot take a run out of {path}: {cause}")


def opened(path: Path) -> SavedRun | Recipe:
    """Read what a window can show: a run file, or the recipe in the file of a figure.

    Raises
    ------
    FileError
        Where it cannot be read, or there is none.
    """
    return read_run(path) if path.suffix.lower() == RUN else recipe_in(path)


def _text_in(path: Path) -> str:
    facts = path.stat()
    if not stat.S_ISREG(facts.st_mode):
        raise PackError("it is no regular file")
    if not 0 < facts.st_size <= _MOST_BYTES:
        raise PackError("it is larger than 4 GiB" if facts.st_size else "it is empty")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if content[:4] == b"PK\3\4":
            _check_directory(content)
            return _text_in_npz(path)
        start = content.find(_BEGIN, 0, _SEARCHED)
        if start < 0:
            start = content.find(_BEGIN, max(0, len(content) - _SEARCHED))
        end = content.find(_END, start, start + MOST_TEXT) if start >= 0 else -1
        if end < 0:
            raise PackError(
                "it carries no recipe: it was not made by aeviz, or what was told in it has been taken out"
            )
        return content[start + len(_BEGIN) : end].decode("ascii", "replace")


def _check_directory(content: mmap.mmap) -> None:
    """Raise PackError where the list of arrays is longer than that of ours: who opens it reads all of it."""
    size = len(content)
    end = size - _DIRECTORY_END
    if not (content[end : end + 4] == _DIRECTORY and content[-2:] == b"\0\0"):  # there is a comment behind it
        end = content.rfind(_DIRECTORY, max(0, end - _MOST_COMMENT))
    length = int.from_bytes(content[end + 12 : end + 16], "little")
    if end < 20 or length > _MOST_DIRECTORY or content[end - 20 : end - 16] == _LARGER_DIRECTORY:
        raise PackError("it is broken, or has more arrays than those that aeviz makes")


def _text_in_npz(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            entry = archive.getinfo(f"{_NPZ_KEY}.npy")
            if entry.file_size > 4 * MOST_TEXT + 1_000:
                raise PackError("its recipe is too long")
            if entry.compress_type not in _KNOWN:
                raise PackError("its recipe is packed in a way that aeviz does not use")
            with archive.open(entry) as file:  # without a size it would unpack more than it promises
                return _npy_text(io.BytesIO(file.read(entry.file_size)))
    except KeyError as error:
        raise PackError("it carries no recipe: another program or an older aeviz wrote it") from error
    except (PackError, OSError):
        raise
    except Exception as error:  # a header is Python's text, and may break its parser in many ways
        raise PackError("it is broken") from error


def _npy_text(file: io.BytesIO) -> str:
    """The text of a NumPy file, whose header is looked at before there is room for what it promises."""
    first = np.lib.format.read_magic(file) == (1, 0)
    read = np.lib.format.read_array_header_1_0 if first else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    if shape or dtype.kind != "U" or dtype.itemsize > 4 * MOST_TEXT:
        raise PackError("its recipe is broken")
    file.seek(0)
    return str(np.lib.format.read_array(file, allow_pickle=False))
