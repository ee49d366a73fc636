"""Where a gateway's knee is: the highest rate of arrivals at which it still meets its objective."""

from collections.abc import Callable

#: How far apart the rate that meets it and the one that does not may be in the end.
PRECISION = 0.1


def knee(
    meets: Callable[[float], bool], guess: float, *, factor: float = 2.0, lowest: float = 1.0
) -> tuple[float, float]:
    """The highest rate found that meets the objective, and the lowest that does not: from `guess`
    by steps of `factor` until the knee is between two rates, then by halving their distance. The
    first is 0 when not even `lowest` meets it."""
    if meets(guess):
        good, bad = guess, factor * guess
        while meets(bad):
            good, bad = bad, factor * bad
    else:
        good, bad = guess / factor, guess
        while not meets(good):
            if good <= lowest:
                return 0.0, good
            good, bad = max(lowest, good / factor), good
    while bad - good > PRECISION * good:
        middle = (good + bad) / 2
        if meets(middle):
            good = middle
        else:
            bad = middle
    return good, bad
