"""Whom to draw: an avatar by its seed, or a person from three files and the look-up tables."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
from PIL import Image

from ..... import avatars
from .....core import pictures
from .....settings import Setting
from ....kit.controls.number import NumberBox
from ....kit.controls.source_controls import SEEDS, random_seed
from ....kit.errors import ShowsErrors
from ....kit.parts import ROW, WIDE, ErrorPlace, button, card, control, note, row, say
from ....kit.sharing import shared_layout
from .who import Who

if TYPE_CHECKING:
    from .....generators.posed import Person

FILES = {
    "picture": "the person, any picture",
    "silhouette": "of the same size: the person white, all else black",
    "surface": "of the same size: the IUV picture that DensePose wrote, as PNG",
}
TABLE = "dp_uv_lookup_256.npy"
BOX, PLACE = {"description_width": "92px"}, {"width": "100%", "max_width": "440px"}


class SeedBox(widgets.HBox):
    """A seed, and a button that draws one. Calls `on(seed)`; `value` is the seed."""

    def __init__(self, tip: str, on: Callable[[int], object], view: ShowsErrors) -> None:
        self._on = on
        self.box = NumberBox(
            Setting("seed", 1, tip, low=0, high=SEEDS - 1),
            on=on,
            view=view,
            style={"description_width": "36px"},
            layout={"width": "150px"},
        )
        dice = button("", f"a random one: {tip}", self._draw, view=view, icon="dice")
        super().__init__([self.box, dice], layout=shared_layout(**ROW))

    @property
    def value(self) -> int:
        """The seed."""
        return int(self.box.value)

    def _draw(self) -> None:
        self.box.value = random_seed()


class PersonCards(widgets.VBox):
    """Two cards: an avatar, and files.

    Args:
        put: takes a source with its words, and makes it the one that is drawn.
        who: whom the picture shows now.

    Attributes: `person`, the last one that was read from files; None before.
    """

    def __init__(self, put: Callable[[Any, str], object], who: Callable[[], Who]) -> None:
        self._put, self._who = put, who
        self.person: Person | None = None
        self.place = ErrorPlace()
        self.seed = SeedBox("the number that an avatar grows from", self._of_seed, self.place)
        self.uploads = {
            name: control(
                widgets.FileUpload, tip=tip, accept="image/*", on=lambda _: self._say(), view=self.place,
                description=name, layout={"width": "150px"},
            )
            for name, tip in FILES.items()
        }  # fmt: skip
        self.table, self.parts, self.completion = (
            control(
                widgets.Text, tip=tip, on=lambda _: self._say(), view=self.place, style=BOX, layout=PLACE,
                description=name, placeholder=holder, continuous_update=False,
            )
            for name, tip, holder in (
                ("tables", f"{TABLE}, or the folder that holds it", f"path of {TABLE} or its folder"),
                ("parts", "uv_space_parts.npy, or its folder; only garments need it", "for garments: uv_space_parts.npy"),
                ("completion", "the network that fills in what the picture hides", "for what is hidden: CCM_epoch50.pt"),
            )
        )  # fmt: skip
        self.read = button("draw this person", "read the files and draw who is in them", self._read, view=self.place)
        self._missing = note("")
        avatar = card(
            note("Every number is somebody. For networks that were trained on avatars."),
            self.seed,
            title="An avatar",
            words=("source",),
        )
        files = card(
            note(
                "Three pictures of one size, and DensePose's look-up table. For networks that were trained on people."
            ),
            row(*self.uploads.values()),
            self.table,
            self.parts,
            self.completion,
            row(self.read),
            self._missing,
            title="A person from files",
            words=("IUV",),
        )
        super().__init__([avatar, self.place, files], layout=shared_layout(**WIDE), _dom_classes=("sw-cards",))
        self._say()

    def missing(self) -> list[str]:
        """What has to be given yet before a person can be read."""
        found = [name for name, upload in self.uploads.items() if not upload.value]
        return found if self.table.value.strip() else [*found, f"the look-up table {TABLE}"]

    # -- inside --------------------------------------------------------------------------------------------------------
    def _of_seed(self, seed: int) -> None:
        groups = tuple(self._who().groups)
        self._put(avatars.Figure(avatars.sample(1, seed, groups=groups), groups), f"avatar {seed}")

    def _say(self) -> None:
        missing = self.missing()
        self.read.disabled = bool(missing)
        words = f"Still missing: {', '.join(missing)}." if missing else "Everything is there."
        say(self._missing, f"{words} docs/pose.md says where each comes from." if missing else words)

    def _read(self) -> None:
        from .....checkpoints.atlas import read_atlas
        from .....generators.posed import Person

        table, parts, completion = (box.value.strip() or None for box in (self.table, self.parts, self.completion))
        assert table is not None
        atlas = read_atlas(table, parts=parts, completion=completion)
        given = {name: uploaded(upload) for name, upload in self.uploads.items()}
        picture, silhouette = (pictures.read(given[name], f"the {name}") for name in ("picture", "silhouette"))
        self.person = Person.read(picture, silhouette, surface_in(given["surface"]), atlas)
        self._put(self.person, "the person from files")
        say(self._missing, " ".join(("This is the person now.", *self.person.notes)))


def uploaded(upload: widgets.FileUpload) -> bytes:
    """The newest file. Both forms of ipywidgets: 7 has a mapping of names, 8 a tuple."""
    files = list(upload.value.values()) if isinstance(upload.value, dict) else list(upload.value)
    if not files:
        raise ValueError(f"no {upload.description} was uploaded yet")
    return bytes(files[-1]["content"])


def surface_in(data: bytes) -> Image.Image:
    """An IUV picture from the bytes of a file, its numbers as they are: no profile and no orientation comes into it."""
    pictures.read(data, "the IUV picture")  # checks that it is one, and not too large
    image = Image.open(io.BytesIO(data))
    if image.format == "JPEG":
        raise ValueError("the IUV picture is a JPEG, which changes the numbers; DensePose's PNG is needed")
    return image
