"""The code blocks of the guide run."""

import pathlib
import re

import pynn_brainscales1 as sim

GUIDE = pathlib.Path(__file__).parents[3] / "docs" / "python.md"


def test_the_guide_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) >= 5
    names = {}
    for block in blocks:
        exec(compile(block, str(GUIDE), "exec"), names)
    assert (tmp_path / "wafer.svg").exists() and (tmp_path / "mapping.bin").exists()
    sim.end()
