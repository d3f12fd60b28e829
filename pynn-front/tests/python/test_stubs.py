"""Stubs say what there is, and whatever has a name of its own has a docstring."""

import ast
import importlib
import inspect
import pathlib

import pytest

import pynn_brainscales1 as sim

FOLDER = pathlib.Path(sim.__file__).parent


def declared(body):
    """Names and definitions of a stub or a class in it."""
    names = {}
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names[node.name] = node
        elif isinstance(node, ast.AnnAssign):
            names[node.target.id] = node
    return names


def own(thing):
    """Public names that a module or class defines itself."""
    if inspect.ismodule(thing):
        inner = {name: value for name, value in vars(thing).items()
                 if getattr(value, "__module__", "") == thing.__name__}
    else:
        inner = vars(thing)
    return {name for name in inner if not name.startswith("_")}


@pytest.mark.parametrize("name", ["_core", "control", "populations", "projections"])
def test_stubs_name_what_there_is(name):
    module = importlib.import_module(f"pynn_brainscales1.{name}")
    stub = declared(ast.parse((FOLDER / f"{name}.pyi").read_text(encoding="utf-8")).body)
    types = {n for n, node in stub.items() if isinstance(node, ast.ClassDef)}
    assert own(module) <= set(stub), own(module) - set(stub)
    for one in types:
        inner = declared(stub[one].body)
        kind = getattr(module, one)
        # attributes of objects apart, which are declared without a value
        methods = {n for n, node in inner.items() if not isinstance(node, ast.AnnAssign)}
        assert methods <= set(dir(kind)), methods - set(dir(kind))
        assert own(kind) <= set(inner), own(kind) - set(inner)


def test_setup_has_all_its_keywords_in_the_stub():
    from pynn_brainscales1.control import DEFAULTS
    stub = declared(ast.parse((FOLDER / "control.pyi").read_text(encoding="utf-8")).body)["setup"]
    keywords = [argument.arg for argument in stub.args.args + stub.args.kwonlyargs]
    assert keywords == ["timestep", "min_delay", "max_delay", *DEFAULTS]
    values = [ast.literal_eval(value) for value in stub.args.kw_defaults[1:]]
    assert values == list(DEFAULTS.values())
    for key in keywords:
        assert key in sim.setup.__doc__, key


def test_public_names_have_docstrings():
    for name in sim.__all__:
        thing = getattr(sim, name)
        if inspect.ismodule(thing) or not callable(thing):
            continue
        assert inspect.getdoc(thing), name
        if inspect.isclass(thing) and thing.__module__.startswith("pynn_brainscales1"):
            for inner in own(thing):
                value = inspect.getattr_static(thing, inner)
                if callable(value) or isinstance(value, property):
                    assert inspect.getdoc(getattr(thing, inner)), f"{name}.{inner}"
