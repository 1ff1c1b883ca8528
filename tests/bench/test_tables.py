"""What the bench makes of its figures: verdicts, the bound of noise, the committed table, and the tables of pages."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import attrs
import pytest

from bench import check, goals, pages, quantiles, syscalls, works
from bench.figures import Figure, Figures, quartiles
from bench.kinds import PUBLISH_BATCH, Sample
from bench.options import parse


def figure(median: float | None, spread: float = 0.01) -> Figure:
    if median is None:
        return Figure(median=None)
    return Figure(median=median, low=median * (1 - spread), high=median * (1 + spread))


def figures(entries: dict[tuple[str, str], Figure], **environment: object) -> Figures:
    found = {"cores": 2, "python": "CPython 3", "versions": {"triomq": "1"}, "load": 0.0, **environment}
    return Figures(environment=found, rounds=7, seconds=1.0, entries=entries)


# -- goals -------------------------------------------------------------------------------------------


def verdict(goal: goals.Goal, *medians: float | None) -> goals.Verdict:
    keys = [goal.ours, *([] if goal.theirs is None else [goal.theirs])]
    found = goals.judge(dict(zip(keys, medians, strict=True)))
    return next(each for each in found if each.goal == goal)


def goal_of(work: str, against: str | None) -> goals.Goal:
    return next(each for each in goals.GOALS if (each.work, each.against) == (work, against))


def test_a_goal_of_more_and_a_goal_of_less() -> None:
    more, less = goal_of("push-10", "pyzmq"), goal_of("req-10", "trio-stream")
    assert verdict(more, 90.0, 100.0).reached
    assert not verdict(more, 89.0, 100.0).reached
    assert verdict(less, 103.0, 100.0).reached
    assert not verdict(less, 104.0, 100.0).reached


def test_a_goal_may_be_a_figure_and_may_be_about_two_works() -> None:
    assert verdict(goal_of("memory-5000", None), 12.0).reached
    assert not verdict(goal_of("memory-5000", None), 12.1).reached
    assert goal_of("subs-100k", "triomq").theirs == ("subs-1", "triomq")
    assert not verdict(goal_of("subs-100k", "triomq"), 2.1, 1.0).reached


def test_a_failed_measurement_misses_its_goal_and_one_that_was_not_tried_has_no_verdict() -> None:
    missed = verdict(goal_of("push-10", "pyzmq"), None, 100.0)
    assert not missed.reached
    assert "not measured" in str(missed)
    assert goals.judge({("push-10", "triomq"): 1.0}) == []


def test_every_goal_is_about_works_that_there_are() -> None:
    names = {work.name for work in works.WORKS}
    assert {goal.work for goal in goals.GOALS} <= names
    assert {goal.base for goal in goals.GOALS if goal.base} <= names


# -- the guard ---------------------------------------------------------------------------------------


def drop_of(before: float, now: float | None, spread: float = 0.01, work: str = "push-1k") -> check.Comparison:
    ours, theirs = (work, "triomq"), (work, "pyzmq")
    committed = figures({ours: figure(before, spread), theirs: figure(100.0, spread)})
    measured = figures({ours: figure(now, spread), theirs: figure(100.0, spread)})
    (comparison,) = check.compare(committed, measured)
    return comparison


def test_a_drop_within_the_floor_is_noise_and_one_beyond_is_not() -> None:
    assert not drop_of(100.0, 86.0).failed
    assert drop_of(100.0, 84.0).failed
    assert not drop_of(100.0, 300.0).failed


def test_where_less_is_better_a_rise_is_the_drop() -> None:
    ours, theirs, raw = ("req-10", "triomq"), ("req-10", "pyzmq"), ("req-10", "trio-stream")
    committed = figures({ours: figure(100.0), theirs: figure(100.0), raw: figure(100.0)})
    measured = figures({ours: figure(130.0), theirs: figure(100.0), raw: figure(125.0)})
    found = {str(each.pair): each.failed for each in check.compare(committed, measured)}
    assert found == {"req-10 ÷ pyzmq": True, "req-10 ÷ trio-stream": False}


def test_noisy_samples_widen_the_bound_but_cannot_hide_everything() -> None:
    assert check.noise(figure(1.0, 0.0), figure(1.0, 0.0)) == check.FLOOR
    assert check.noise(*[figure(1.0, 0.1)] * 4) == pytest.approx(0.4)
    assert check.noise(*[figure(1.0, 0.9)] * 4) == check.CEILING
    assert not drop_of(100.0, 70.0, spread=0.1).failed
    assert drop_of(100.0, 45.0, spread=0.9).failed


def test_a_measurement_that_fails_now_has_dropped() -> None:
    assert drop_of(100.0, None).failed


def test_what_one_of_the_two_runs_lacks_is_not_compared() -> None:
    committed = figures({("push-1k", "triomq"): figure(1.0), ("push-1k", "pyzmq"): figure(1.0)})
    assert list(check.compare(committed, figures({("push-1k", "triomq"): figure(1.0)}))) == []


def test_a_work_that_is_newer_than_the_committed_table_is_not_compared_yet() -> None:
    known = {("push-10", "triomq"): figure(1.0), ("push-10", "pyzmq"): figure(1.0)}
    new = {("push-mixed", "triomq"): figure(1.0), ("push-mixed", "pyzmq"): figure(1.0)}
    found = {str(each.pair) for each in check.compare(figures(known), figures(known | new))}
    assert found == {"push-10 ÷ pyzmq"}
    assert check.Pair(("push-mixed", "triomq"), ("push-mixed", "pyzmq")) in check.pairs()
    for table in (pages.goal_table, lambda found: pages.peer_table(found, pages._median)):
        assert works.by_name("push-mixed").title not in table(figures(known))
        assert works.by_name("push-mixed").title in table(figures(known | new))


# -- the committed table -----------------------------------------------------------------------------


def test_figures_come_back_from_their_file(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    assert Figures.load(path) is None
    entry = attrs.evolve(figure(2.0), cpu={"bind": 1.5}, details={"p50": 3.0})
    saved = figures({("push-10", "triomq"): entry, ("push-10", "pyzmq"): figure(None)})
    saved.save(path)
    assert Figures.load(path) == saved


def test_a_group_is_replaced_as_a_whole_and_others_stay() -> None:
    older = figures(
        {("subs-1", "triomq"): figure(1.0), ("subs-1", "pyzmq"): figure(1.0), ("req-10", "triomq"): figure(5.0)}
    )
    newer = figures({("subs-100k", "triomq"): figure(2.0)})
    assert set(newer.over(older).entries) == {("req-10", "triomq"), ("subs-100k", "triomq")}


def test_figures_of_another_machine_do_not_stay() -> None:
    older = figures({("req-10", "triomq"): figure(5.0)}, cores=8)
    newer = figures({("push-10", "triomq"): figure(2.0)}, load=3.0)
    assert newer.over(older) == newer
    assert newer.same_environment(figures({}))


# -- tables and places -------------------------------------------------------------------------------


def test_a_table_of_goals_tells_figure_goal_and_ratio() -> None:
    found = figures({("push-10", "triomq"): figure(1.2e6), ("push-10", "pyzmq"): figure(2.4e6)})
    assert pages.goal_table(found).splitlines() == [
        "| loopback tcp, two processes | triomq | goal | reached |",
        "| --- | ---: | ---: | ---: |",
        "| PUSH → PULL, 10 B | 1.20 M messages/s | ≥ 0.9 × pyzmq | 0.50 ✗ |",
    ]


def test_a_goal_for_another_way_of_working_says_which() -> None:
    found = figures(
        {
            ("req-10", "triomq"): figure(90.0),
            ("req-10", "triomq-polling"): figure(30.0),
            ("req-10", "trio-stream"): figure(60.0),
        }
    )
    row = pages.goal_table(found).splitlines()[-1]
    assert row.endswith("| ≤ 1.03 × trio stream<br>≤ 0.6 × trio stream, with busy_poll | 1.50 ✗<br>0.50 ✓ |")


def test_what_is_between_the_marks_is_replaced_and_nothing_else() -> None:
    text = "a\n<!-- figures -->\nold\n<!-- end of figures -->\nb\n<!-- figures: x -->\n<!-- end of figures -->\nc\n"
    filled = pages.fill(text, {"": "new \\1", ": x": "more"})
    assert filled.replace("new \\1", "").replace("more", "").split() == text.replace("old", "").split()
    assert pages.fill(filled, {"": "new \\1", ": x": "more"}) == filled
    with pytest.raises(ValueError, match="no place for figures: y"):
        pages.fill(text, {": y": ""})


@pytest.mark.skipif(not pages._README.exists(), reason="not in a checkout")
def test_the_documents_have_a_place_for_every_section(tmp_path: Path) -> None:
    found = figures({("push-10", "triomq"): figure(1.2e6)})
    for path, sections in pages.sections(found).items():
        pages.fill(path.read_text(encoding="utf-8"), sections, str(path))


# -- small things ------------------------------------------------------------------------------------


def test_quantiles_and_quartiles() -> None:
    assert quantiles.summary(list(range(1, 1001))) == {"p50": 500, "p99": 990, "p99.9": 999, "worst": 1000}
    assert quantiles.summary([7.0]) == {"p50": 7.0, "p99": 7.0, "p99.9": 7.0, "worst": 7.0}
    assert quartiles([1.0, 2.0, 3.0, 4.0, 5.0]) == (2.0, 4.0)
    assert quartiles([3.0]) == (3.0, 3.0)


def test_counts_fit_their_work() -> None:
    work = works.by_name("pub-to-100")
    assert work.clamp(1) == 2 * 100 * PUBLISH_BATCH
    assert work.clamp(35_000) == 30_000
    assert works.by_name("push-10k").figure(Sample(count=1000, seconds=2.0)) == 5.0
    assert works.by_name("req-10").figure(Sample(count=1000, seconds=2.0)) == 2000.0


def test_a_summary_of_strace_is_understood() -> None:
    summary = (
        "% time     seconds  usecs/call     calls    errors syscall\n"
        "------ ----------- ----------- --------- --------- ----------------\n"
        " 60.00    0.000600           6       100         3 recvfrom\n"
        " 40.00    0.000400           4        90           sendto\n"
        "100.00    0.001000           5       190         3 total\n"
    )
    assert syscalls.parse(summary) == Counter(recvfrom=100, sendto=90)


def test_what_the_command_line_asks_for() -> None:
    usual, plots, check_only = parse([]), parse(["--plots"]), parse(["--check"])
    assert [work.name for work in usual.works] == [work.name for work in works.WORKS]
    assert usual.measure
    assert usual.rounds == 7
    assert {work.name for work in plots.works} == {work.name for work in works.ALL}
    assert plots.save
    assert plots.draw
    assert not parse(["--draw"]).measure
    assert check_only.everything
    assert not parse(["--check", "--works", "req-10"]).everything
