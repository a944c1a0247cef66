"""The four packages' one rule, and what scoring must never pull in."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAY_IMPORT = {
    "data": {"data"},
    "models": {"data", "models"},
    "training": {"data", "models", "training"},
    "serving": {"data", "models", "serving"},
}
HEAVY = {"torch", "transformers", "datasets", "sklearn"}


def imports(path: Path) -> set[str]:
    """Every module a file imports anywhere in it, inside functions too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add(node.module or "")
    return found


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_packages_import_only_what_they_may(package: str):
    for path in (ROOT / package).rglob("*.py"):
        ours = {name.split(".")[0] for name in imports(path)} & set(MAY_IMPORT)
        assert ours <= MAY_IMPORT[package], f"{path} imports {ours - MAY_IMPORT[package]}"


def test_serving_names_nothing_heavy_and_only_training_imports_the_network():
    for path in (ROOT / "serving").rglob("*.py"):
        assert not {name.split(".")[0] for name in imports(path)} & (HEAVY | {"mlflow"}), path
    for package in ("data", "models", "serving"):
        for path in (ROOT / package).rglob("*.py"):
            assert "models.network" not in imports(path), path


def test_scoring_loads_neither_torch_nor_transformers_nor_mlflow():
    code = (
        "import sys; import serving.job, serving.report, serving.closing; from serving import Scorer;"
        "Scorer.load('models/released').score(['A sentence.']);"
        f"sys.exit(', '.join({HEAVY | {'mlflow', 'pandas'}!r} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_importing_serving_does_not_wait_for_onnxruntime():
    code = "import sys, serving; sys.exit('onnxruntime' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
