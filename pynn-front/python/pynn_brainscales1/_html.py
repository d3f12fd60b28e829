"""Tables for notebooks."""

from html import escape


def table(title, head, rows):
    """A table with a title."""
    cells = "".join(
        "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    names = "".join(f"<th>{escape(name)}</th>" for name in head)
    return f"<table><caption>{escape(title)}</caption><tr>{names}</tr>{cells}</table>"
