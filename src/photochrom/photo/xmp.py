"""XMP packets edited in place: what is not touched stays byte for byte.

ISO 16684-1. A packet is parsed only to learn where things are; changes are cuts and insertions in its
text, so comments, padding, prefixes and unknown schemas survive.
"""

from __future__ import annotations

import hashlib
import html
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.parsers import expat  # entity declarations are refused below

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
NOTE = "http://ns.adobe.com/xmp/note/"
_HEAD = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
_EMPTY = f'<x:xmpmeta xmlns:x="adobe:ns:meta/">\n <rdf:RDF xmlns:rdf="{RDF}">\n </rdf:RDF>\n</x:xmpmeta>\n'
_MOST_BYTES, _MOST_ELEMENTS = 32 << 20, 200_000
_TAIL = '<?xpacket end="w"?>'


@dataclass(frozen=True)
class Property:
    """A simple XMP property: its schema's namespace and usual prefix, its name, its text."""

    namespace: str
    prefix: str
    name: str
    value: str


@dataclass
class _Found:
    """Where a property stands in the text: whole element, or attribute; and its value."""

    start: int
    end: int
    value: str = ""


@dataclass
class _Scan:
    """Byte positions in a packet."""

    rdf_close: int = -1
    rdf_inner: int = -1
    prefixes: dict[str, str] = field(default_factory=dict)
    found: dict[tuple[str, str], list[_Found]] = field(default_factory=dict)


def normalized(packet: bytes) -> bytes:
    """The packet in UTF-8, without zeros at its end. Raises ValueError where it is not well-formed RDF."""
    if packet[:2] in (b"\xff\xfe", b"\xfe\xff"):
        packet = packet[: len(packet) // 2 * 2].decode("utf-16").encode()
    packet = packet.removeprefix(b"\xef\xbb\xbf").rstrip(b"\0")
    if len(packet) > _MOST_BYTES:
        raise ValueError(f"longer than {_MOST_BYTES >> 20} MB")
    _scan(packet, ())
    return packet


def values(packet: bytes, namespace: str, name: str) -> list[str]:
    """The texts of a simple property, wherever it stands. Raises ValueError for a broken packet."""
    scan = _scan(packet, ((namespace, name),))
    return [found.value for found in scan.found.get((namespace, name), [])]


def with_properties(packet: bytes | None, properties: Iterable[Property]) -> bytes:
    """The packet (a new one for None) in which these properties have these values, all else as it was.

    Raises ValueError where the packet is not well-formed RDF.
    """
    wanted = list(properties)
    text = packet if packet is not None else (_HEAD + _EMPTY + _TAIL).encode()
    text = without(text, [(item.namespace, item.name) for item in wanted])
    return _inserted(text, _description(wanted))


def without(packet: bytes, names: Iterable[tuple[str, str]]) -> bytes:
    """The packet with every occurrence of these (namespace, name) properties cut out."""
    scan = _scan(packet, tuple(names))
    spans = sorted(((spot.start, spot.end) for spots in scan.found.values() for spot in spots), reverse=True)
    for start, end in spans:
        packet = packet[:start] + packet[end:]
    return packet


def has(packet: bytes, namespace: str, name: str) -> bool:
    """Whether a property stands in the packet, whatever its value. Raises ValueError for a broken one."""
    return bool(_scan(packet, ((namespace, name),)).found)


def with_description(packet: bytes | None, declared: str, stated: str) -> bytes:
    """The packet (a new one for None) with one more description: namespace declarations, and elements."""
    description = f'<rdf:Description rdf:about="" xmlns:rdf="{RDF}" {declared}>{stated}</rdf:Description>\n '
    return _inserted(
        packet if packet is not None else (_HEAD + _EMPTY + _TAIL).encode(), description.encode()
    )


def mapped(
    packet: bytes,
    names: Sequence[tuple[str, str]],
    function: Callable[[list[list[str]]], list[list[str]] | None],
) -> bytes:
    """The packet with the texts of simple properties changed in place.

    `function` is given the texts of each property, in the order of the packet, and returns as many, or
    None for no change. Raises ValueError for a broken packet.
    """
    scan = _scan(packet, tuple(names))
    spots = [scan.found.get(name, []) for name in names]
    if not any(spots):
        return packet
    changed = function([[spot.value for spot in column] for column in spots])
    if changed is None:
        return packet
    pairs = [
        (spot, text)
        for column, texts in zip(spots, changed, strict=True)
        for spot, text in zip(column, texts, strict=True)
        if spot.value != text
    ]
    for spot, text in sorted(pairs, key=lambda pair: -pair[0].start):
        packet = packet[: spot.start] + _with_value(packet[spot.start : spot.end], text) + packet[spot.end :]
    return packet


def _with_value(property: bytes, text: str) -> bytes:
    """An element or attribute with another text."""
    escaped = html.escape(text).encode()
    if not property.startswith(b"<"):
        return re.sub(
            rb"""(["']).*(["'])$""", lambda quotes: quotes[1] + escaped + quotes[2], property, flags=re.S
        )
    inner = _tag_end(property, 0)
    closing = property.rfind(b"</")
    return property if closing < inner else property[:inner] + escaped + property[closing:]


def _description(properties: list[Property]) -> bytes:
    schemas = {item.prefix: item.namespace for item in properties}
    declared = "".join(f"\n    xmlns:{prefix}={_quoted(uri)}" for prefix, uri in schemas.items())
    stated = "".join(f"\n    {item.prefix}:{item.name}={_quoted(item.value)}" for item in properties)
    return f'<rdf:Description rdf:about="" xmlns:rdf="{RDF}"{declared}{stated}/>\n '.encode()


def _quoted(text: str) -> str:
    """An attribute's value. As `xml.sax.saxutils.quoteattr`, whose module takes 35 ms to import."""
    escaped = html.escape(text).translate({ord(c): f"&#{ord(c)};" for c in "\n\r\t"})
    return f'"{escaped}"'


def _inserted(packet: bytes, description: bytes) -> bytes:
    scan = _scan(packet, ())
    if scan.rdf_close >= 0:
        return packet[: scan.rdf_close] + b" " + description + packet[scan.rdf_close :]
    raise ValueError("no rdf:RDF element")


# --- packets too long for one segment of a JPEG (Adobe XMP part 3, 1.1.3.1) ----------------------


def split(packet: bytes) -> tuple[bytes, bytes, bytes]:
    """(the main packet, which names the extension; that name, the MD5 in hexadecimal; the extension)."""
    name = hashlib.md5(packet, usedforsecurity=False).hexdigest().upper()
    main = with_properties(None, [Property(NOTE, "xmpNote", "HasExtendedXMP", name)])
    return main, name.encode(), packet


def joined(main: bytes, extension: bytes) -> bytes:
    """One packet of a main one and its extension; the main one alone where either is broken."""
    try:
        main = without(normalized(main), [(NOTE, "HasExtendedXMP")])
        scan = _scan(extension, ())
        inner = extension[scan.rdf_inner : scan.rdf_close]
        return _inserted(main, _declaring(inner, scan.prefixes))
    except ValueError:
        return main


def _declaring(descriptions: bytes, prefixes: dict[str, str]) -> bytes:
    """Descriptions that declare the prefixes which stood on the elements around them."""
    used = {
        prefix: uri for prefix, uri in prefixes.items() if prefix and f"{prefix}:".encode() in descriptions
    }

    def declare(match: re.Match[bytes]) -> bytes:
        tag = match.group(0)
        missing = [(p, u) for p, u in used.items() if f"xmlns:{p}=".encode() not in tag]
        stated = "".join(f" xmlns:{prefix}={_quoted(uri)}" for prefix, uri in missing)
        end = -2 if tag.endswith(b"/>") else -1
        return tag[:end] + stated.encode() + tag[end:]

    rdf = next((prefix for prefix, uri in prefixes.items() if uri == RDF), "rdf").encode()
    return re.sub(
        rb"<" + re.escape(rdf) + rb':Description(?:[^>"\']|"[^"]*"|\'[^\']*\')*>', declare, descriptions
    )


# --- scanning ------------------------------------------------------------------------------------


def _scan(packet: bytes, names: tuple[tuple[str, str], ...]) -> _Scan:
    try:
        return _Scanner(packet, names).run()
    except expat.ExpatError as error:
        raise ValueError(f"not well-formed: {error}") from error


class _Scanner:
    """Finds the end of rdf:RDF and the places of some properties."""

    def __init__(self, packet: bytes, names: tuple[tuple[str, str], ...]):
        self._packet = packet
        self._names = {f"{namespace} {name}": (namespace, name) for namespace, name in names}
        self._scan = _Scan()
        self._open: list[tuple[str, int]] = []  # names of the open elements, ends of their start tags
        self._in_rdf = False
        self._elements = 0
        self._in_scope: list[tuple[str, str]] = []
        self._current: _Found | None = None
        self._parser = expat.ParserCreate("utf-8", " ")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.StartNamespaceDeclHandler = self._declare
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._parser.EntityDeclHandler = self._refuse

    def run(self) -> _Scan:
        self._parser.Parse(self._packet, True)
        if self._scan.rdf_close < 0:
            raise ValueError("no rdf:RDF element")
        return self._scan

    def _refuse(self, *_: object) -> None:
        raise ValueError("it declares entities")

    def _declare(self, prefix: str | None, uri: str) -> None:
        self._in_scope.append((prefix or "", uri))
        if not self._in_rdf:
            self._scan.prefixes[prefix or ""] = uri

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > _MOST_ELEMENTS:
            raise ValueError(f"more than {_MOST_ELEMENTS} elements")
        at = self._parser.CurrentByteIndex
        inner = _tag_end(self._packet, at)
        self._open.append((name, inner))
        if name == f"{RDF} RDF" and not self._in_rdf:
            self._in_rdf, self._scan.rdf_inner = True, inner
        if not self._in_rdf:
            return
        for key, value in attributes.items():
            if key in self._names:
                self._take_attribute(key, value, at)
        if name in self._names and self._current is None:
            self._current = _Found(at, -1)
            self._scan.found.setdefault(self._names[name], []).append(self._current)

    def _take_attribute(self, key: str, value: str, at: int) -> None:
        namespace, name = self._names[key]
        tag = self._packet[at : _tag_end(self._packet, at)]
        for prefix in {prefix for prefix, uri in self._in_scope if uri == namespace}:
            pattern = rf"""\s+{re.escape(prefix)}:{name}\s*=\s*("[^"]*"|'[^']*')""".encode()
            if match := re.search(pattern, tag):
                spot = _Found(at + match.start(), at + match.end(), value)
                self._scan.found.setdefault((namespace, name), []).append(spot)
                return

    def _text(self, text: str) -> None:
        if self._current is not None:
            self._current.value += text

    def _end(self, name: str) -> None:
        at = self._parser.CurrentByteIndex
        _, inner = self._open.pop()
        empty = self._packet[inner - 2 : inner] == b"/>"  # <element/>, which has no closing tag
        if self._current is not None and name in self._names:
            self._current.end = inner if empty else _tag_end(self._packet, at)
            self._current.value = self._current.value.strip()
            self._current = None
        if name == f"{RDF} RDF" and not empty:
            self._scan.rdf_close = at


def _tag_end(packet: bytes, at: int) -> int:
    """Just behind the ">" of the tag that starts at `at`."""
    match = re.compile(rb"""<(?:[^>"']|"[^"]*"|'[^']*')*>""").match(packet, at)
    return match.end() if match else at
