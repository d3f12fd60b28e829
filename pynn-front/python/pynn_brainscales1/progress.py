"""How far something is that takes long: a line on a terminal, a bar in a notebook."""

import html
import math
import sys
import time

#: What takes less time, s, is not shown.
PATIENCE = 0.3


class Line:
    """One line on standard error, which is gone afterwards."""

    def __init__(self):
        self._begun = time.monotonic()
        self._shown = False

    def __call__(self, stage, share):
        """Shows the name of a stage, and its share, 0 to 1, or NaN where it is not known."""
        if time.monotonic() - self._begun < PATIENCE:
            return
        text = stage if math.isnan(share) else f"{stage:<12} {100 * share:3.0f} %"
        sys.stderr.write(f"\r{text:<40}")
        sys.stderr.flush()
        self._shown = True

    def close(self):
        """Wipes the line."""
        if self._shown:
            sys.stderr.write("\r" + " " * 40 + "\r")
            sys.stderr.flush()


class Notebook:
    """A bar below the cell of a notebook, which is gone afterwards."""

    def __init__(self):
        self._begun = time.monotonic()
        self._handle = None

    def __call__(self, stage, share):
        """Shows the name of a stage, and its share, 0 to 1, or NaN where it is not known."""
        if time.monotonic() - self._begun < PATIENCE:
            return
        value = "" if math.isnan(share) else f' value="{share:.3f}"'
        self._show(f"<progress{value}></progress> {html.escape(stage)}")

    def _show(self, text):
        from IPython.display import HTML, display
        if self._handle is None:
            self._handle = display(HTML(text), display_id=True)
        else:
            self._handle.update(HTML(text))

    def close(self):
        """Takes the bar away."""
        if self._handle is not None:
            self._show("")


def display_for(wanted):
    """The class that shows progress here; None if nobody looks, or nobody wants it."""
    if not wanted:
        return None
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if type(shell).__name__ == "ZMQInteractiveShell":
        return Notebook
    return Line if sys.stderr.isatty() else None
