"""Targets at their edges: what is just reached, and what just missed."""

import targets


def verdicts(results):
    return {target.text.split(":")[0]: target.is_met for target in targets.evaluate(results)}


def missed(results):
    return [text for text, is_met in verdicts(results).items() if not is_met]


def test_all_are_judged_and_just_reached(results):
    assert len(verdicts(results)) == 8
    assert missed(results) == []


def test_what_was_not_measured_is_not_judged(results):
    assert list(verdicts({"start": results["start"]})) == ["start to first answer"]
    assert targets.evaluate({}) == []


def test_the_median_of_the_rounds_decides(results):
    rounds = [dict(turn) for turn in results["load"]["keep-alive-8"]["martlet"]]
    rounds[0]["rate"] = 949.0  # Of 0.95, 0.9 and 1 the first was the median.
    results["load"]["keep-alive-8"] = {**results["load"]["keep-alive-8"], "martlet": rounds}
    assert missed(results) == ["requests/s at 8 connections, keep-alive"]


def test_latency_above_is_missed(results):
    rounds = [dict(turn) for turn in results["load"]["close-64"]["martlet"]]
    rounds[0]["p99"] = 121
    results["load"]["close-64"] = {**results["load"]["close-64"], "martlet": rounds}
    assert missed(results) == ["p99 at 64 connections, close"]


def test_errors_reach_no_target(results):
    rounds = [{**turn, "errors": {"status": 1}} for turn in results["load"]["close-8"]["martlet"]]
    results["load"]["close-8"] = {**results["load"]["close-8"], "martlet": rounds}
    assert missed(results) == ["requests/s at 8 connections, close"]


def test_hashing_is_allowed_for_and_no_more(results):
    assert targets.instructions_max(results["instructions"]) == 5500
    results["instructions"]["servers"]["martlet"] = 5501.0
    assert missed(results) == ["instructions per request"]


def test_idle_connections_must_all_be_open(results):
    results["memory"]["martlet"]["open"] = 499
    assert missed(results) == ["500 idle connections"]


def test_idle_connections_may_not_cost_more(results):
    results["memory"]["martlet"]["resting"] += 1
    assert missed(results) == ["500 idle connections"]


def test_a_later_start_is_missed(results):
    results["start"]["martlet"] = [600.0, 700.0, 800.0]
    assert missed(results) == ["start to first answer"]


def test_tls_slower_than_the_other_server_is_missed(results):
    results["tls"]["martlet"] = {**results["tls"]["martlet"], "rate": [900.0, 1800.0]}
    assert missed(results) == []
    results["tls"]["martlet"]["rate"] = [899.0, 1799.0]
    assert missed(results) == ["requests/s over TLS at 8 connections"]
    del results["tls"]["nginx"]
    assert len(verdicts(results)) == 7
