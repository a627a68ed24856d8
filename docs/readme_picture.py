"""Make the picture of the README from a finished run: the first figure of its report, on white paper.

dilemmas replicate --out runs/replicate
python docs/readme_picture.py runs/replicate docs/_static/gap_closed.svg
"""

import re
import sys
from pathlib import Path

from dilemmas.envs.data_files import write_text

DARK = re.compile(r"@media\(prefers-color-scheme:dark\)\{.*?\}\}", re.DOTALL)


def picture(report: str) -> str:
    """The first figure of a report as an SVG file, which looks alike on light and dark pages."""
    found = re.search(r"<svg\b.*?</svg>", report, re.DOTALL)
    if found is None:
        raise SystemExit("the report has no figure: is the run complete?")
    head, tag, rest = DARK.sub("", found[0]).partition("</style>")
    return f'{head}{tag}<rect width="100%" height="100%" rx="6" fill="#fff"/>{rest}\n'


if __name__ == "__main__":
    run, file = map(Path, sys.argv[1:])
    write_text(file, picture((run / "report.html").read_text(encoding="utf-8")))
