"""JUnit XML for CI systems: failed is `<failure>`, inconclusive is `<error>`.

The dialect is the one of Jenkins' and GitLab's readers (testsuite, testcase, failure, error,
skipped, properties).
"""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree as ET

from dltest.model import Run, Verdict

ELEMENTS = {
    Verdict.FAILED: "failure",
    Verdict.INCONCLUSIVE: "error",
    Verdict.SKIPPED: "skipped",
}


def write(runs: Iterable[Run], path: Path) -> None:
    """One suite a scenario, one test case a case."""
    suites = ET.Element("testsuites", name="dltest")
    by_scenario: dict[str, list[Run]] = defaultdict(list)
    for run in runs:
        by_scenario[run.case.scenario].append(run)
    for scenario, members in by_scenario.items():
        suites.append(_suite(scenario, members))
    ET.indent(suites)
    path.parent.mkdir(parents=True, exist_ok=True)
    ET.ElementTree(suites).write(path, encoding="utf-8", xml_declaration=True)


def _suite(scenario: str, runs: list[Run]) -> ET.Element:
    verdicts = [run.judgement.verdict if run.judgement else Verdict.INCONCLUSIVE for run in runs]
    suite = ET.Element(
        "testsuite",
        name=scenario,
        tests=str(len(runs)),
        failures=str(verdicts.count(Verdict.FAILED)),
        errors=str(verdicts.count(Verdict.INCONCLUSIVE)),
        skipped=str(verdicts.count(Verdict.SKIPPED)),
        time=f"{sum(map(_seconds, runs)):.3f}",
    )
    suite.extend(_case(run, verdict) for run, verdict in zip(runs, verdicts, strict=True))
    return suite


def _case(run: Run, verdict: Verdict) -> ET.Element:
    case = ET.Element(
        "testcase", classname=run.case.scenario, name=run.case.id, time=f"{_seconds(run):.3f}"
    )
    properties = ET.SubElement(case, "properties")
    facts = {"run_id": run.id, "verdict": verdict.value, "leftovers": str(run.leftovers)}
    for name, value in facts.items():
        ET.SubElement(properties, "property", name=name, value=value)
    if verdict in ELEMENTS:
        findings = run.judgement.findings if run.judgement else ()
        told = [f"{finding.code} ({finding.blame}): {finding.title}" for finding in findings]
        element = ET.SubElement(case, ELEMENTS[verdict], message=_xml(told[0] if told else ""))
        element.text = _xml("\n".join(told))
    return case


def _xml(text: str) -> str:
    """Without the characters that XML 1.0 cannot hold; servers do send NUL bytes."""
    return "".join(char for char in text if char in "\t\n\r" or char >= " ")


def _seconds(run: Run) -> float:
    if run.started_at is None or run.finished_at is None:
        return 0.0
    return (run.finished_at - run.started_at).total_seconds()
