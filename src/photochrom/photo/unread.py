"""Kinds of pictures that are not read: how they are known, and what to do with one."""

from __future__ import annotations

from typing import NamedTuple

_SAVE = "convert it to PNG or TIFF first"


class Unread(NamedTuple):
    """A kind of file: its name, suffixes, first bytes, and advice."""

    name: str
    suffixes: tuple[str, ...]
    magic: tuple[bytes, ...] = ()
    advice: str = _SAVE

    @property
    def reason(self) -> str:
        """ "this is a PDF document: export its pages as TIFF or PNG first" """
        article = "an" if self.name.startswith(("SVG", "SGI", "Open", "icon")) else "a"
        return f"this is {article} {self.name}: {self.advice}"


RAW = Unread(
    "raw camera file",
    (
        *(".dng", ".nef", ".nrw", ".cr2", ".cr3", ".crw", ".arw", ".sr2", ".srf", ".raf", ".orf", ".rw2"),
        *(
            ".pef",
            ".srw",
            ".x3f",
            ".3fr",
            ".fff",
            ".iiq",
            ".mef",
            ".mos",
            ".mrw",
            ".dcr",
            ".kdc",
            ".erf",
            ".rwl",
        ),
    ),
    (b"FUJIFILMCCD-RAW", b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"FOVb", b"\0MRM", b"II\x1a\0\0\0HEAPCCDR"),
    "develop it to a TIFF with 16 bits first",
)
_KINDS = (
    RAW,
    Unread("PDF document", (".pdf",), (b"%PDF",), "export its pages as TIFF or PNG first"),
    Unread("Photoshop document", (".psd", ".psb"), (b"8BPS",), "save it as TIFF first"),
    Unread("JPEG XL picture", (".jxl",), (b"\xff\x0a", b"\0\0\0\x0cJXL ")),
    Unread("JPEG XR picture", (".jxr", ".wdp", ".hdp"), (b"II\xbc\x01",)),
    Unread("JPEG-LS picture", (".jls",), (b"\xff\xd8\xff\xf7",)),
    Unread("GIMP document", (".xcf",), (b"gimp xcf",), "export it as TIFF or PNG first"),
    Unread("Krita document", (".kra",), (), "export it as TIFF or PNG first"),
    Unread("SVG drawing", (".svg", ".svgz"), (b"<svg",), "it is not a photograph"),
    Unread(
        "PostScript document",
        (".eps", ".ps", ".ai"),
        (b"%!PS", b"\xc5\xd0\xd3\xc6"),
        "export it as TIFF first",
    ),
    Unread("DjVu document", (".djvu", ".djv"), (b"AT&TFORM",), "export its pages as TIFF or PNG first"),
    Unread("DDS texture", (".dds",), (b"DDS ",)),
    Unread("icon", (".ico", ".cur", ".icns"), (b"\0\0\x01\0", b"icns")),
    Unread("SGI picture", (".sgi", ".rgb", ".bw"), (b"\x01\xda",)),
    Unread("PFM picture", (".pfm",), (b"Pf\n", b"PF\n")),
    Unread("OpenEXR picture", (".exr",), (b"v/1\x01",)),
    Unread("Radiance HDR picture", (".hdr",), (b"#?RADIANCE", b"#?RGBE")),
    Unread("FITS picture", (".fits", ".fit"), (b"SIMPLE  =",)),
    Unread("Targa picture", (".tga",)),
    Unread("PCX picture", (".pcx",)),
    Unread("BPG picture", (".bpg",), (b"BPG\xfb",)),
)


def unread_kind(head: bytes, suffix: str = "") -> Unread | None:
    """The kind of a file that begins so, or else of one with this suffix; None where neither tells."""
    if head[4:12] == b"ftypcrx " or head[8:10] == b"CR":
        return RAW
    by_content = (kind for kind in _KINDS if head.startswith(kind.magic or b"\xff\0\xff\0"))
    by_name = (kind for kind in _KINDS if suffix.lower() in kind.suffixes)
    return next(by_content, None) or next(by_name, None)
