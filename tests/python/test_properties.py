"""The document against the running service: schemathesis draws requests from every operation and checks every answer.

One run signed in (editor, and administrator where only he may act), one without a token. Each operation is one test of
each run; what was found stands in its failure, with the request as a curl command.
"""

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as xml

import pytest

import service

#: Examples per operation of the fuzzing phase. The other phases follow from the document alone.
EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "15"))
LONG = EXAMPLES > 100
METHODS = ("get", "post", "put", "patch", "delete")
PHASES = {
    "signed-in": "examples,coverage,fuzzing,stateful",
    # Refusals look alike, so fewer of them tell as much.
    "anonymous": "examples,coverage,fuzzing,stateful" if LONG else "examples,fuzzing",
}


def operations() -> list[str]:
    """`GET /api/v1/kpis` and so on."""
    paths = json.loads(service.DOCUMENT.read_text())["paths"]
    return [f"{method.upper()} {path}" for path, item in paths.items() for method in METHODS if method in item]


class Run:
    """One run of schemathesis, read from its report."""

    def __init__(self, name: str, accounts: dict | None) -> None:
        folder = service.SCRATCH / "properties" / name
        folder.mkdir(parents=True, exist_ok=True)
        report = folder / "junit.xml"
        report.unlink(missing_ok=True)
        environment = os.environ | {"PYTHONPATH": os.path.dirname(__file__), "TSUNAGI_URL": service.URL}
        environment.pop("TSUNAGI_TEST_ACCOUNTS", None)
        if accounts:
            environment["TSUNAGI_TEST_ACCOUNTS"] = json.dumps(accounts)
        command = [sys.executable, "-m", "schemathesis.cli", "--config-file", "schemathesis.toml", "run"]
        command += [str(service.DOCUMENT), "--url", service.URL, "--checks", "all", "--phases", PHASES[name]]
        command += ["--max-examples", str(EXAMPLES), "--continue-on-failure", "--no-color"]
        command += ["--report", "junit", "--report-junit-path", str(report)]
        with (folder / "output.txt").open("wb") as output:
            ended = subprocess.run(
                command,
                env=environment,
                cwd=os.path.dirname(__file__),
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=None if LONG else 600,
            )
        self.status = ended.returncode
        self.output = (folder / "output.txt").read_text(errors="replace")
        self.found: dict[str, list[str]] = {}
        if report.exists():
            for case in xml.parse(report).getroot().iter("testcase"):
                broken = [*case.iter("failure"), *case.iter("error")]
                self.found.setdefault(case.get("name"), []).extend(f"{b.text or ''}" for b in broken)


_runs: dict[str, Run] = {}


@pytest.fixture
def run(request: pytest.FixtureRequest, town: service.Town) -> Run:
    name = request.param
    if name not in _runs:
        accounts = {
            "editor": [town.editor.email, town.editor.password],
            "admin": [town.admin.email, town.admin.password],
            "operator": [service.OPERATOR, service.PASSWORD],
            "vital": town.vital,
            "records": service.furnish(town),
        }
        _runs[name] = Run(name, accounts if name == "signed-in" else None)
    return _runs[name]


@pytest.mark.parametrize("operation", operations())
@pytest.mark.parametrize("run", PHASES, indirect=True)
def test_operation(run: Run, operation: str) -> None:
    assert operation in run.found or run.status == 0, run.output[-3000:]
    problems = "\n\n".join(run.found.get(operation, ()))
    assert not problems, problems


@pytest.mark.parametrize("run", PHASES, indirect=True)
def test_run(run: Run) -> None:
    """The run as a whole: also what belongs to no operation, or to a chain of them."""
    operation_of_its_own = set(run.found) - set(operations())
    extra = "\n\n".join(text for name in operation_of_its_own for text in run.found[name])
    assert run.status == 0, extra or run.output[-6000:]
    # The closing summary: cases drawn, phases done.
    print(run.output[run.output.rfind("= SUMMARY =") :])
