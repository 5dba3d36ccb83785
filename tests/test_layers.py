"""Who may import whom (architecture.md): each room only those to its right."""

import ast
from pathlib import Path
from textwrap import dedent

import pytest

ROOT = Path(__file__).parents[1]
ORDER = (
    ("dashboards", "cli"),
    ("report",),
    ("study", "training"),
    ("correlation",),
    ("demo",),
    ("engine",),
    ("models", "degradation", "losses"),
    ("metrics",),
    ("ratings",),
    ("statistics",),
    ("viewer", "weights", "images", "journal"),
    ("assets", "devices", "files", "memory", "threads"),
    ("errors",),
)
LEVEL = {room: level for level, rooms in enumerate(ORDER) for room in rooms}
LOWEST = len(ORDER)
# Public names that `srqa/__init__.py` imports lazily, by the room they live in.
LAZY = {
    "degrade": "degradation",
    "evaluate": "engine",
    "Run": "engine",
    "metric": "metrics",
    "difference_map": "metrics",
    "list_metrics": "metrics",
    "upscale": "models",
    "correlate": "correlation",
}


def imported(tree):
    """Full names of the modules and names that a file imports, at its top or in functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                yield node.lineno, "srqa.RELATIVE"
            else:
                for alias in node.names:
                    yield node.lineno, f"{node.module}.{alias.name}"
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "srqa":
            yield node.lineno, f"srqa.{node.attr}"


def violations(root):
    """Sentences, one for each import that goes to the left."""
    found = []
    files = [*sorted((root / "srqa").rglob("*.py")), *sorted((root / "dashboards").rglob("*.py"))]
    for path in files:
        parts = path.relative_to(root).with_suffix("").parts
        room = "dashboards" if parts[0] == "dashboards" else parts[1]
        if room in ("__init__", "__main__") and len(parts) == 2:
            continue
        where = path.relative_to(root).as_posix()
        if room not in LEVEL:
            found.append(f"{where}: the room {room} is not in the order of rooms")
            continue
        for line, name in imported(ast.parse(path.read_text(encoding="utf-8"))):
            top, _, rest = name.partition(".")
            target = rest.split(".")[0]
            if top == "dashboards" or (top == "srqa" and target == "dashboards"):
                found.append(f"{where}:{line} imports dashboards")
                continue
            if top != "srqa" or target in ("", "__version__"):
                continue
            target = LAZY.get(target, target)
            if target == room and room != "dashboards":
                continue
            if LEVEL.get(target, -1) <= LEVEL[room]:
                found.append(f"{where}:{line} imports {name}")
    return found


def test_every_room_imports_only_to_its_right():
    assert violations(ROOT) == []


def test_every_room_is_known_and_has_an_author():
    rooms = {p.name for p in (ROOT / "srqa").iterdir() if (p / "__init__.py").exists()}
    assert rooms <= set(LEVEL)
    assert {"cli", "engine", "images", "metrics", "report", "statistics", "viewer"} <= rooms


def test_the_public_face_is_lazy():
    """`srqa/__init__.py` imports nothing of srqa but inside TYPE_CHECKING."""
    tree = ast.parse((ROOT / "srqa" / "__init__.py").read_text(encoding="utf-8"))
    at_top = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    modules = {getattr(node, "module", None) for node in at_top}
    assert modules <= {"__future__", "importlib", "typing"}


def test_lazy_names_are_listed_here():
    import srqa

    homes = {name: home.split(".")[1] for name, home in srqa._HOMES.items()}
    assert homes.items() <= LAZY.items() | homes.items()
    assert set(homes) == set(srqa.__all__)
    for name, home in homes.items():
        assert LAZY.get(name) == home, f"add {name} to LAZY"


@pytest.mark.parametrize(
    ("where", "text", "caught"),
    [
        ("srqa/images/a.py", "from srqa.engine.run import x", True),
        ("srqa/images/a.py", "def f():\n    import srqa.metrics.spec", True),
        ("srqa/images/a.py", "from srqa import engine", True),
        ("srqa/images/a.py", "from srqa import evaluate", True),
        ("srqa/images/a.py", "import srqa\nsrqa.evaluate()", True),
        ("srqa/images/a.py", "import srqa\nprint(srqa.__version__)", False),
        ("srqa/images/a.py", "from ..engine import x", True),
        ("srqa/images/a.py", "from srqa.viewer import x", True),
        ("srqa/images/a.py", "from srqa.images import b\nfrom srqa.errors import E", False),
        ("srqa/engine/a.py", "if True:\n    from srqa.cli import run", True),
        ("srqa/engine/a.py", "from srqa.metrics import x\nimport numpy", False),
        ("srqa/cli/a.py", "from srqa.report import x\nfrom srqa import demo", False),
        ("srqa/report/a.py", "from dashboards import x", True),
        ("srqa/demo.py", "from srqa.engine.evaluate import evaluate", False),
        ("srqa/errors.py", "from srqa.assets import path", True),
        ("srqa/unheard/a.py", "x = 1", True),
        ("dashboards/a.py", "import srqa\nfrom srqa.study import x\nimport streamlit", False),
        ("dashboards/a.py", "from dashboards import other", True),
        ("dashboards/a.py", "from srqa.cli import run", True),
    ],
)
def test_violations_are_found(tmp_path, where, text, caught):
    path = tmp_path / where
    path.parent.mkdir(parents=True)
    path.write_text(dedent(text))
    assert bool(violations(tmp_path)) == caught
