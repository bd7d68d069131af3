"""The syntax of RSE expressions; what they mean is tested with the planner."""

import pytest

from dltest.scenario import ExpressionError, parse_expression
from dltest.scenario.rse_expression import Chain, Comparison, Everything, comparisons


def test_operators_are_read_from_left_to_right() -> None:
    a, b, c = (Comparison(name, "=", "True", is_name=True) for name in "ABC")
    assert parse_expression("A|B&C") == Chain(a, (("|", b), ("&", c)))
    assert parse_expression("A|(B&C)") == Chain(a, (("|", Chain(b, (("&", c),))),))
    assert parse_expression("((A))") == a


def test_terms() -> None:
    assert parse_expression("*") == Everything()
    assert parse_expression("tier<3") == Comparison("tier", "<", "3")
    assert parse_expression("dltest-faults=True") == Comparison("dltest-faults", "=", "True")
    assert parse_expression("CERN-PROD_DATADISK") == Comparison(
        "CERN-PROD_DATADISK", "=", "True", is_name=True
    )


@pytest.mark.parametrize("text", ["A", "*", "a=b", r"A\(B|c<1)&*", "((a=b))", "(A|B)&C"])
def test_an_expression_prints_to_one_that_reads_the_same(text: str) -> None:
    tree = parse_expression(text)
    assert parse_expression(str(tree)) == tree


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("", 0, "an RSE expression cannot be empty; `*` is all RSEs"),
        ("A&", 2, "the RSE expression ends too early"),
        ("A & B", 1, "Rucio's RSE expressions hold no spaces"),
        ("(A", 0, "this parenthesis is never closed"),
        ("A&((B|C)", 2, "this parenthesis is never closed"),
        ("A)", 1, "a parenthesis is closed that was never opened"),
        ("A==B", 1, "'=' cannot stand here in an RSE expression"),
        ("A=b.c", 3, "'.' cannot stand here in an RSE expression"),
        ("A=T1*", 4, "'*' cannot stand here in an RSE expression"),
        ("A-", 1, "'-' cannot stand here in an RSE expression"),
        ("(" * 51 + "A" + ")" * 51, 50, "more parentheses than anybody needs"),
        ("()", 1, "a parenthesis is closed that was never opened"),
    ],
)
def test_what_rucio_would_not_read_is_refused_at_its_place(
    text: str, position: int, message: str
) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_expression(text)
    assert (str(caught.value), caught.value.position) == (message, position)


def test_all_comparisons_are_found_in_order() -> None:
    tree = parse_expression(r"a=1&(B|c<2)\*")
    assert [str(comparison) for comparison in comparisons(tree)] == ["a=1", "B", "c<2"]
