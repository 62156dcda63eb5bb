"""The names of layer ranges."""

from __future__ import annotations


def named_ranges(num_ws: int) -> dict[str, tuple[int, int]]:
    """The coarse, middle and fine rows [first, last) of w+ of a generator with `num_ws` rows.

    The names follow the style-mixing figure of StyleGAN (Karras et al. 2019, arXiv:1812.04948, figure 3): coarse
    4²–8² (rows 0–3), middle 16²–32² (rows 4–7), fine 64² and up. A generator with fewer than 9 rows has no fine
    rows by that definition; there the rows are divided in thirds.
    """
    first, second = (4, 8) if num_ws >= 9 else (-(-num_ws // 3), -(-2 * num_ws // 3))
    ranges = {"coarse": (0, first), "middle": (first, second), "fine": (second, num_ws)}
    return {name: rows for name, rows in ranges.items() if rows[0] < rows[1]}
