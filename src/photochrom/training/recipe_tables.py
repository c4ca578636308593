"""Tables to TOML text, which tomllib only reads."""

from __future__ import annotations

import json
from typing import Any


def dump(tables: dict[str, Any], name: str = "") -> str:
    """TOML text of nested tables of booleans, numbers, texts and lists."""
    lines = [f"{key} = {_literal(value)}" for key, value in tables.items() if not isinstance(value, dict)]
    text = (f"[{name}]\n" if name else "") + "".join(line + "\n" for line in lines)
    for key, value in tables.items():
        if isinstance(value, dict):
            text += "\n" + dump(value, f"{name}.{key}" if name else key)
    return text


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")  # else TOML's own escapes
    if isinstance(value, list):
        return "[" + ", ".join(_literal(item) for item in value) + "]"
    return repr(value)
