"""A fresh network for each test, in a folder of its own."""

import pytest

import pynn_brainscales1


@pytest.fixture(params=["reference", "emulator"])
def sim(request, tmp_path, monkeypatch):
    """The back end, set up on each engine; the wafer is the ideal one."""
    monkeypatch.chdir(tmp_path)
    pynn_brainscales1.setup(timestep=0.1, backend=request.param, wafer="ideal", progress=False)
    yield pynn_brainscales1
    pynn_brainscales1.end()


@pytest.fixture
def begin(tmp_path, monkeypatch):
    """A function that begins a network with given keywords; the reference engine by default."""
    monkeypatch.chdir(tmp_path)

    def begin(**keywords):
        keywords = {"backend": "reference", "wafer": "ideal", "progress": False, **keywords}
        pynn_brainscales1.setup(**keywords)
        return pynn_brainscales1

    yield begin
    pynn_brainscales1.end()
