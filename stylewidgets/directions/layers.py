"""The names of layer ranges."""

from __future__ import annotations


def named_ranges(num_ws: int) -> dict[str, tuple[int, int]]:
    """The coarse, middle and fine rows [first, last) of w+ of a generator with `num_ws` rows.

    The names follow the style mixing of StyleGAN (Karras et al. 2019): coarse rows 0 to 3, middle rows 4 to 7, fine the
    rest. With fewer than 9 rows nothing would be fine, so the rows are divided in thirds.
    """
    first, second = (4, 8) if num_ws >= 9 else (-(-num_ws // 3), -(-2 * num_ws // 3))
    ranges = {"coarse": (0, first), "middle": (first, second), "fine": (second, num_ws)}
    return {name: rows for name, rows in ranges.items() if rows[0] < rows[1]}
