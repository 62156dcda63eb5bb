"""``stylewidgets render``: one picture to a file, or the depth, points or mesh of what is in it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..core.checks import check_finite, unknown_name
from ..core.options import Options
from ..latent.camera import Camera

_ANGLES = ("yaw", "pitch", "roll", "fov", "radius")


def camera(text: str) -> Camera:
    """The camera of ``yaw=20,pitch=5``. ValueError says what is accepted."""
    values: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, sign, value = part.partition("=")
        if not sign:
            raise ValueError(
                f"a camera is such as yaw=20.5,pitch=5, with commas between its parts; {part!r} has no value"
            )
        if name.strip() not in _ANGLES:
            raise unknown_name("part of a camera", name.strip(), _ANGLES)
        try:
            values[name.strip()] = check_finite(name.strip(), float(value))
        except ValueError:
            raise ValueError(f"{name.strip()} of a camera is a number; {value!r} was given") from None
    return Camera(**values)


def _camera(text: str) -> Camera:
    try:
        return camera(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


OPTIONS: Options = {
    "source": {
        "metavar": "SOURCE",
        "nargs": "?",
        "default": None,
        "help": "a checkpoint, a bundled name or one of the zoo",
    },
    "--out": {
        "type": Path,
        "default": Path("picture.png"),
        "help": ".png or .jpg; .ply or .obj for points and meshes (default %(default)s)",
    },
    "--what": {
        "choices": ("picture", "depth", "normals", "points", "mesh"),
        "default": "picture",
        "help": "all but the picture need a scene in space, as StyleNeRF and EG3D have; a mesh needs the extra `mesh`",
    },
    "--seed": {"type": int, "default": 0},
    "--psi": {"type": float, "help": "truncation (default: none)"},
    "--camera": {
        "type": _camera,
        "metavar": "yaw=20,pitch=5",
        "help": f"{', '.join(_ANGLES)}, as of sw.Camera; degrees",
    },
    "--size": {"type": int, "help": "pixels a side of depth and normals; points a side of a mesh's grid"},
}


def run(args: argparse.Namespace) -> int:
    """Draw and write the file."""
    from .. import jobs
    from ..core import pictures
    from ..core.files import check_suffix, write
    from ..session.load import load

    solid = args.what in ("points", "mesh")
    check_suffix(args.out, (".ply", ".obj") if solid else (".png", ".jpg", ".jpeg"), f"file of {args.what}")
    session = load(*([args.source] if args.source else []))
    latent = session.latent(seed=args.seed, **({} if args.psi is None else {"psi": args.psi}))
    if args.camera:
        latent = session.check(latent.replace(view=args.camera))
    if solid:
        size = {} if args.size is None else {"resolution" if args.what == "mesh" else "size": args.size}
        made = session.points(latent, **size) if args.what == "points" else jobs.run(session.mesh.start(latent, **size))
        assert made is not None
        made.save(args.out)
        sys.stdout.write(f"{args.out}: {made!r}\n")
        return 0
    draw = {"depth": session.depth_picture, "normals": session.normals}.get(args.what)
    picture = session.image(latent) if draw is None else draw(latent, args.size)
    write(args.out, pictures.encoded(picture, "PNG" if args.out.suffix.lower() == ".png" else "JPEG"))
    sys.stdout.write(f"{args.out}: {picture.shape[1]} x {picture.shape[0]} pixels\n")
    return 0
