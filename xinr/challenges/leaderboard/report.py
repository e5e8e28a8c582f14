"""A leaderboard as one page of HTML that needs no other file: tables, figures, settings, versions."""

import base64
import io
from datetime import UTC, datetime
from html import escape
from pathlib import Path

from matplotlib.figure import Figure

from xinr.challenges.leaderboard.board import Leaderboard
from xinr.challenges.leaderboard.figures import figures
from xinr.challenges.leaderboard.table import html
from xinr.challenges.leaderboard.text import described, tables

#: Dots per inch of the figures: wide enough for a desk, light enough for a phone.
REPORT_DPI = 110
#: A table wider than the screen scrolls by itself, and the page does not.
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #222; margin: 0 auto; max-width: 60rem; padding: 1rem; }
h1 { font-size: 1.5rem; line-height: 1.2; } h2 { font-size: 1.15rem; margin-top: 2rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: 0.9rem; }
th, td { padding: 0.3rem 0.7rem; text-align: left; white-space: nowrap; border-bottom: 1px solid #ddd; }
th { border-bottom: 2px solid #888; } td:first-child { font-weight: 600; }
figure { margin: 0; } img { max-width: 100%; height: auto; } footer { color: #666; margin-top: 3rem; }
"""


def write_report(board: Leaderboard, folder: Path) -> Path:
    """Write ``report.html`` to a folder and return its path: its figures are in it, and it needs no network."""
    sections = [_section(table.title, table.note, html(table.rows, table.columns)) for table in tables(board)]
    sections += [_section(title, "", _embedded(title, figure)) for title, figure in figures(board)]
    path = folder / "report.html"
    path.write_text(_page(board, sections), encoding="utf-8")
    return path


def _page(board: Leaderboard, sections: list[str]) -> str:
    name, now = escape(board.challenge.name), datetime.now(UTC)
    return "\n".join(
        [
            "<!doctype html>",
            f'<html lang="en"><head><meta charset="utf-8"><title>{name}</title>',
            f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>',
            f"<body><h1>{name}</h1><p>{escape(described(board.challenge))}</p>",
            *sections,
            f"<footer>Made by xinr, {now:%Y-%m-%d %H:%M} UTC.</footer></body></html>",
        ]
    )


def _section(title: str, note: str, content: str) -> str:
    text = f"<p>{escape(note)}</p>" if note else ""
    return f'<section><h2>{escape(title)}</h2>{text}<div class="wide">{content}</div></section>'


def _embedded(title: str, figure: Figure) -> str:
    """Return a figure as an image within the page."""
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=REPORT_DPI)
    data = base64.b64encode(picture.getvalue()).decode()
    return f'<figure><img alt="{escape(title)}" src="data:image/png;base64,{data}"></figure>'
