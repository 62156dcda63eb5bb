"""Where the picture to invert comes from, and the brush for the part of it that counts."""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING

import ipywidgets as widgets
import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from ... import domain
from ...core import pictures
from ...core.files import as_path, is_address
from ...latent.latent import Latent
from ...settings import Setting
from ..kit.controls.number import NumberBox
from ..kit.controls.source_controls import SEEDS, random_seed
from ..kit.errors import reporting
from ..kit.parts import ROW, WIDE, button, column, control, note, row, say, show
from ..kit.sharing import shared_layout
from ..kit.views.brush import Brush
from ..kit.views.camera import Camera
from .face import FacePanel
from .host import InversionHost

if TYPE_CHECKING:
    from ...inversion import Target


class TargetPanel(widgets.HBox):
    """Path or address, the camera, a generated picture whose code is known, a picture of the domain's world whose factors
    are known. Files from the disk come through the view.

    What is chosen goes to `host.set_target` with a Python expression for it, "" where there is none.
    """

    def __init__(self, host: InversionHost) -> None:
        self._host = host
        self.path = control(
            widgets.Text,
            tip="a file beside the notebook, or an http(s) address; Enter takes it",
            on=self._on_path,
            view=host.view,
            layout={"width": "auto", "flex": "1 1 220px", "max_width": "100%"},
            placeholder="path or address of a picture, then Enter",
            continuous_update=False,
        )
        self.seed = NumberBox(
            Setting("seed", 1, "which generated picture or render", low=0, high=SEEDS - 1),
            style={"description_width": "36px"},
            layout={"width": "150px", "max_width": "100%"},
        )
        act = partial(button, view=host.view)
        own = [act("generated face", "a picture of this generator: its code is known", self.generated)]
        known = domain.of(host.session)
        self._noun = "" if known is None else known.noun
        self._world = None if known is None or known.world is None else known.world()
        if known is not None and self._world is not None:
            tip = f"a rendered {known.noun}: its factors are known, but no code draws it exactly"
            own.append(act(f"rendered {known.noun}", tip, self.example))
        own.append(act("", "another seed", self._reroll, icon="dice"))
        self.camera = Camera(self._on_camera, layout=shared_layout())
        tip = "crop the photograph to a face, by four points on it: generators of faces know no other place for one"
        self._place = act("place the face …", tip, self._unfold)
        show(self._place, False)
        self.told = note("", width="100%")
        self._photo: tuple[Image.Image, str] | None = None
        super().__init__([self.path, self.camera, self.seed, *own, self._place, self.told], layout=shared_layout(**ROW))

    @cached_property
    def face(self) -> FacePanel:
        """Four points on the photograph, made when it is first asked for."""
        made = FacePanel(self._host)
        show(made, False)
        self.children += (made,)
        return made

    def tell(self, target: Target | None) -> None:
        """Say what there is to know of a target before it is inverted."""
        words = []
        if target is not None and target.left_out:
            words.append(f"Left out: {'; '.join(target.left_out[:3])}.")
        outside = target is not None and target.factors is None and None in target.latents
        if outside and self._world is not None:
            words.append(
                f"This generator draws {self._noun}s: of a photograph it finds the {self._noun} that is most like it. To get the "
                "person back, load a checkpoint of photographs, such as sw.load('ffhq-1024')."
            )
        say(self.told, " ".join(words))

    def _take_photo(self, given: object, code: str) -> None:
        """Invert a picture from outside, and offer the four points on it."""
        self._host.set_target(given, code)
        text = isinstance(given, str)
        if text and not is_address(given) and as_path(str(given)).is_dir():
            self._forget()
            return
        self._photo = pictures.read(given), code
        show(self._place, True)
        if "face" in self.__dict__:
            self.face.show(*self._photo)

    def _forget(self) -> None:
        self._photo = None
        show(self._place, False)
        if "face" in self.__dict__:
            show(self.face, False)

    def _unfold(self) -> None:
        if self._photo is None:
            return
        if "face" not in self.__dict__:
            self.face.show(*self._photo)
        show(self.face, self.face.layout.display == "none")

    def _on_camera(self, picture: Image.Image) -> None:
        with reporting(self._host.view):
            self._take_photo(picture, "")

    def generated(self) -> None:
        """Take the generator's picture of the seed."""
        self._forget()
        seed = self.seed.value
        self._host.set_target(self._host.session.latent(seed=seed), f"session.latent(seed={seed})")

    def example(self) -> None:
        """Take the picture that the domain's world draws of the seed. ValueError when it has none."""
        if self._world is None:
            raise ValueError("no pictures with known factors are drawn of what this generator draws")
        self._forget()
        self._host.set_target(*self._world.example(self.seed.value, self._host.session.resolution))

    def _reroll(self) -> None:
        self.seed.value = random_seed()

    def _on_path(self, text: str) -> None:
        if text := text.strip():
            self._take_photo(text, repr(text))

    def take_file(self, name: str, data: bytes) -> None:
        """Take the picture in the bytes of a file. ValueError when it is none."""
        self._take_photo(pictures.read(data, repr(name)), repr(name))

    def show_seed(self, latent: Latent | None) -> None:
        """Show the seed of a target whose code is known, where it has one."""
        if latent is not None and latent.seed is not None:
            self.seed.value = latent.seed


class MaskPanel(widgets.VBox):
    """A brush over the target: what is painted counts, or is left out."""

    def __init__(self) -> None:
        self.pad = Brush(self._say, layout=shared_layout())
        self._meaning = control(
            widgets.Dropdown,
            tip="which part of the target the next run has to match",
            on=lambda _: self._say(),
            style={"description_width": "80px"},
            layout={"width": "270px", "max_width": "calc(100% - 4px)"},
            options=[("counts, and nothing else", False), ("is left out", True)],
            description="what I paint",
        )
        self._about = note("")
        words = note(
            "Holds for the next run. What does not count is left to the generator: paint out glasses or a hand, and it "
            "puts a face there."
        )
        side = column(self._meaning, self._about, words, flex="1 1 180px", min_width="0")
        super().__init__([row(self.pad, side, align_items="flex-start", grid_gap="8px")], layout=shared_layout(**WIDE))
        self._say()

    @property
    def inverted(self) -> bool:
        """Whether what is painted is left out."""
        return bool(self._meaning.value)

    @inverted.setter
    def inverted(self, value: bool) -> None:
        self._meaning.value = bool(value)

    def mask(self, size: tuple[int, int]) -> NDArray[np.float32] | None:
        """1 where the target counts, float [height, width]; None for everywhere."""
        if not self.pad.mask.any():
            return None
        painted = self.pad.mask_at(*size)
        return (~painted if self.inverted else painted).astype(np.float32)

    def paint(self, mask: ArrayLike | None) -> None:
        """Paint [h, w] instead of what is there; None takes all paint away."""
        self.pad.mask = np.zeros((1, 1)) if mask is None else mask
        self._say()

    def _say(self) -> None:
        share = 100 * float(self.pad.mask.mean())
        if not share:
            say(self._about, "Nothing is painted: the whole picture counts.")
            return
        say(self._about, f"{100 - share if self.inverted else share:.0f} % of the picture counts.")
