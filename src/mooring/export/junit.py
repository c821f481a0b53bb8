"""Results as a JUnit report, which build servers show: a target is a test case."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from mooring.core.result import CheckResult
from mooring.core.stage import StageResult
from mooring.core.status import Status
from mooring.export.json import time_json

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(results: Sequence[CheckResult], *, suite: str = "mooring check") -> str:
    """Return the report. Down is a failure, unknown an error (it could not be tested), degraded passes."""
    totals = {
        "name": suite,
        "tests": str(len(results)),
        "failures": str(sum(each.status is Status.DOWN for each in results)),
        "errors": str(sum(each.status is Status.UNKNOWN for each in results)),
        "time": _seconds(sum(each.seconds for each in results)),
    }
    root = ET.Element("testsuites", totals)
    begun = {"timestamp": time_json(results[0].started_at) or ""} if results else {}
    cases = ET.SubElement(root, "testsuite", totals | begun)
    for each in results:
        _case(cases, each)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def _case(suite: ET.Element, result: CheckResult) -> None:
    ref = result.target
    case = ET.SubElement(
        suite,
        "testcase",
        {"classname": _text(ref.kind), "name": _text(ref.name), "time": _seconds(result.seconds)},
    )
    failure = result.failure
    if failure is not None:
        tag = "error" if result.status is Status.UNKNOWN else "failure"
        stage = f"{failure.stage}: " if failure.stage is not None else ""
        told = {"type": f"{failure.reason}.{_text(failure.code)}", "message": _text(stage + failure.message)}
        advice = [text for text in (failure.hint, failure.fix) if text]
        ET.SubElement(case, tag, told).text = _text("\n".join(advice))
    lines = [f"address: {ref.address}", *map(_stage, result.stages)]
    lines += [f"warning: {warning}" for warning in result.observation.warnings]
    ET.SubElement(case, "system-out").text = _text("\n".join(lines))


def _stage(stage: StageResult) -> str:
    took = "" if stage.seconds is None else f" {_seconds(stage.seconds)} s"
    return f"{stage.stage}: {stage.status}{took}"


def _seconds(seconds: float) -> str:
    return f"{seconds:.6f}"


def _text(text: str) -> str:
    """XML cannot hold control characters, not even escaped; a server's message can."""
    return _NOT_XML.sub("\ufffd", text)
