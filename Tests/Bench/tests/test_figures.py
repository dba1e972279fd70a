"""The arithmetic, on numbers whose result is known, and on what the tools really printed."""

import hashlib
import math

import figures
import pytest

WRK = """Running 1s test @ http://127.0.0.1:40123/
  1 threads and 8 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   409.10us    1.49ms  17.91ms   94.77%
    Req/Sec    38.62k     4.11k   46.66k    70.00%
  38409 requests in 1.00s, 15.86MB read
  Socket errors: connect 0, read 12, write 0, timeout 0
Requests/sec:  38404.62

{"requests": 38409, "microseconds": 1000114, "p50": 176, "p99": 7300, "errors": """ + (
    '{"connect": 0, "read": 12, "write": 0, "status": 0, "timeout": 0}}\n')
CALLGRIND = "version: 1\ncreator: callgrind-3.19.0\nevents: Ir\nsummary: 7\n\ntotals: 1380364\n"


def test_a_spread_is_least_median_and_greatest():
    assert figures.spread([3.0, 1.0, 2.0, 10.0]) == figures.Spread(1.0, 2.5, 10.0)


def test_nothing_has_no_spread():
    with pytest.raises(ValueError):
        figures.spread([])


def test_ratios_are_taken_pair_by_pair():
    assert figures.ratios([1.0, 6.0], [2.0, 3.0]) == [0.5, 2.0]


def test_the_ratio_to_nothing_is_no_number():
    assert math.isnan(figures.ratios([1.0], [0.0])[0])


def test_measurements_without_a_partner_are_refused():
    with pytest.raises(ValueError):
        figures.ratios([1.0], [1.0, 2.0])


def test_wrk_is_read():
    found = figures.read_wrk(WRK)
    assert found == {
        "requests": 38409,
        "rate": pytest.approx(38404.62, abs=0.01),
        "p50": 176,
        "p99": 7300,
        "errors": {
            "read": 12
        }
    }


def test_wrk_without_a_result_is_refused():
    with pytest.raises(ValueError):
        figures.read_wrk("unable to connect to 127.0.0.1:1 Connection refused\n")


def test_callgrind_is_read():
    assert figures.read_callgrind(CALLGRIND) == 1380364
    with pytest.raises(ValueError):
        figures.read_callgrind("version: 1\n")


def test_perf_is_read_where_it_counts():
    text = "# started on Wed Nov 25\n\n{},,instructions:u,886023,100.00,,\n"
    assert figures.read_perf(text.format(123456)) == 123456
    assert figures.read_perf(text.format("<not supported>")) is None
    assert figures.read_perf("") is None


def test_start_and_end_of_a_program_cancel_out():
    assert figures.per_request((200, 70_000 + 200 * 689), (1200, 70_000 + 1200 * 689)) == 689


@pytest.mark.parametrize("size, inner", [(0, 1), (55, 1), (56, 2), (119, 2), (120, 3)])
def test_compressions_are_those_of_both_hashes(size, inner):
    assert figures.compressions(size) == inner + 1


def test_a_block_is_sha_256_s():
    assert figures.BLOCK == hashlib.sha256().block_size


def test_the_signature_covers_header_and_payload():
    assert figures.signing_input("header.payload.signature") == "header.payload"
