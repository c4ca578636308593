"""One picture of all side-by-side results: python examples/contact_sheet.py FOLDER."""

import sys
from pathlib import Path

from PIL import Image

HEIGHT = 320  # px of a row
NAME = "contact-sheet.jpg"


def main(folder: Path) -> None:
    paths = [path for path in sorted(folder.glob("*.jpg")) if path.name != NAME]
    pictures = [Image.open(path).convert("RGB") for path in paths]
    rows = [picture.resize((picture.width * HEIGHT // picture.height, HEIGHT)) for picture in pictures]
    half = (len(rows) + 1) // 2
    columns = [rows[:half], rows[half:]]
    widths = [max((row.width for row in column), default=0) for column in columns]
    sheet = Image.new("RGB", (sum(widths) + 24, half * (HEIGHT + 8) + 8), "#202020")
    for number, column in enumerate(columns):
        for place, row in enumerate(column):
            sheet.paste(row, (8 + number * (widths[0] + 8), 8 + place * (HEIGHT + 8)))
    target = folder / NAME
    sheet.save(target, quality=92)
    print(target)


main(Path(sys.argv[1]))
