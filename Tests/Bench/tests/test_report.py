"""What is written: whole tables, every row named, a plot that is XML."""

import xml.etree.ElementTree as tree

import bench
import plot
import pytest
import report

NOTES = {"rounds": 3, "seconds": 2, "starts": 20, "patience": 240, "size": 433}


def tables_in(text):
    """Lists of lines, one for each table."""
    blocks = [block.splitlines() for block in text.split("\n\n")]
    return [block for block in blocks if block[0].startswith("|")]


def test_every_line_of_a_table_has_as_many_cells(results):
    found = tables_in(report.article(results, NOTES))
    assert len(found) == 9
    for lines in found:
        assert len({line.count("|") for line in lines}) == 1, lines[0]


def test_every_row_of_the_benchmark_stands_in_the_article(results):
    article = report.article(results, NOTES)
    for row in bench.ROWS:
        assert f"| `{row}` |" in article


def test_nothing_is_told_of_what_was_not_measured(results):
    told = report.tables({"servers": results["servers"], "file": results["file"]})
    assert "76,000" in told and "Requests/s" not in told and "Targets" not in told


def test_a_processor_without_instructions_has_no_row(results):
    assert report.passwords(results).count("\n") == 4
    del results["passwords"]["martlet instructions"]
    assert report.passwords(results).count("\n") == 3


def test_tls_without_the_other_server(results):
    assert "1.00 (1.00–1.00)" in report.tls(results)
    del results["tls"]["nginx"]
    assert report.tls(results).count("\n") == 2 and "200" in report.tls(results)


def test_errors_are_told_over_all_rounds(results):
    rounds = results["load"]["keep-alive-8"]["martlet"]
    assert report.errors_of(rounds) == "none"
    errors = ({"read": 3}, {"read": 2, "status": 1})
    rounds = [{**turn, "errors": some} for turn, some in zip(rounds, errors)]
    assert report.errors_of(rounds) == "5 read, 1 status"


def test_connections_that_a_server_closes_cost_nothing_that_could_be_told(results):
    results["memory"]["martlet"]["open"] = 0
    assert report.resting_of(results["memory"]["martlet"]) == ("–", "–")
    assert report.resting_of(results["memory"]["floor"]) == ("64", "131")


@pytest.mark.parametrize("microseconds, text", [(81.6, "82 µs"), (1234, "1.23 ms"),
                                                (23456, "23.5 ms"), (2_345_678, "2,345.7 ms")])
def test_times_have_their_unit(microseconds, text):
    assert report.time_of(microseconds) == text


def test_the_plot_is_xml_and_names_each_server_in_each_panel(results):
    drawn = tree.fromstring(plot.plot(results))
    texts = [node.text for node in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert texts.count(plot.SHORT["martlet"]) == texts.count(plot.SHORT["floor"]) == 4
