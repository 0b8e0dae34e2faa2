"""Metrics: one line each in CloudWatch's embedded metric format, as the alarms of resources.yaml look for them."""

import json

import pytest

from chalicelib.platform import log


def test_a_metric_is_a_line_of_its_own_in_our_namespace_by_stage(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STAGE", "millrace-prod")
    log.measure("WelcomeMissed", 1, "Count")
    log.measure("due_lag_seconds", 0.5, "Seconds")
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["stage"], first["WelcomeMissed"]) == ("millrace-prod", [1])
    assert second["due_lag_seconds"] == [0.5]
    assert second["_aws"]["CloudWatchMetrics"] == [
        {
            "Namespace": "Millrace",
            "Dimensions": [["stage"]],
            "Metrics": [{"Name": "due_lag_seconds", "Unit": "Seconds"}],
        }
    ]


def test_a_unit_that_cloudwatch_does_not_know_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError):
        log.measure("WelcomeMissed", 1, "Welcomes")
    assert not capsys.readouterr().out
