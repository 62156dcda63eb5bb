"""What dragging can be told, as data: keywords are checked by it and forms are made from it."""

from __future__ import annotations

from ...settings import Method, Setting

SETTINGS = (
    Setting("steps", 200, "Steps at most.", 1, 5000, log=True),
    Setting(
        "lr",
        0.0,
        "Step size of Adam, in what `unit` says; 0: 0.01 spreads, or 0.002 numbers of w as published.",
        0.0,
        0.5,
        label="step size",
    ),
    Setting("near", 1.0, "A handle has arrived when it is so near its target.", 0.0, 64.0, unit="pixels"),
    Setting(
        "keep",
        20.0,
        "λ: how strongly what the mask keeps is held where it is.",
        0.0,
        1000.0,
        label="hold of mask",
    ),
    Setting("space", "w+", "Whether rows of w+ move apart, or one w as a whole.", choices=("w+", "w"), advanced=True),
    Setting(
        "rows",
        0,
        "Rows of w+ that move, from the first; 0: all that the features depend on.",
        0,
        64,
        advanced=True,
    ),
    Setting(
        "layer",
        "",
        "Layer whose features are followed; empty: the last of at most a quarter of the side, and 128 pixels.",
        advanced=True,
    ),
    Setting("motion_radius", 0, "r₁: of the disc that is pushed; 0: 3/32 of the side, 3 at least.", 0, 256,
            advanced=True, unit="pixels"),
    Setting("track_radius", 0, "r₂: how far off a handle is looked for; 0: 12/512 of the side, 6 at least.", 0, 256,
            advanced=True, unit="pixels"),
    Setting(
        "unit",
        "spread",
        "What steps are measured in: how far w is spread along its principal axes, the same for every generator, or plain "
        "numbers of w, as published.",
        choices=("spread", "w"),
        advanced=True,
    ),
    Setting("stay", 0.0, "Weight of the mean distance of w+ from the start.", 0.0, 100.0, advanced=True),
    Setting("patience", 60, "Ends when no handle has come nearer for so many steps; 0: never.", 0, 5000, advanced=True),
    Setting("published", False, "Coordinates exactly as in the published code, slips included.", advanced=True),
)  # fmt: skip

METHOD = Method(
    name="drag",
    title="Drag points",
    line="Moves points of the picture to where you want them; the rest follows as the generator has learnt it.",
    source="Pan et al., Drag Your GAN, SIGGRAPH 2023",
    start="stylewidgets.editing.dragging.run:drag",
    settings=SETTINGS,
)
"""Dragging, for panels and scripts."""
