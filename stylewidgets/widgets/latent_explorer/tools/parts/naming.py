"""Names of parts: clusters that are clicked on the picture become one part; and the file that keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as widgets

from ....kit.parts import button, card, control, note, quiet, row, say, show

if TYPE_CHECKING:
    from .tool import PartsTool


class Naming(widgets.VBox):
    """Attributes: `active`, whether clicks on the picture collect clusters; `picked`, these; `called`, the field of the name."""

    def __init__(self, tool: PartsTool) -> None:
        self._tool = tool
        self.picked: set[int] = set()
        self._from: str | None = None
        self.on = control(
            widgets.ToggleButton,
            tip="collect the places that belong together by clicking on the picture",
            on=self._switch,
            view=tool.place,
            layout={"width": "auto"},
            description="name parts on the picture",
        )
        self.called = control(
            widgets.Text,
            tip="what these places are called; the name of another part joins them to it",
            style={"description_width": "40px"},
            layout={"width": "180px"},
            placeholder="such as hair",
            description="name",
        )
        self._said = note("")
        self.join = button("these are one part", "give them this name", self.name, view=tool.place, primary=True)
        self._fields = row(self.called, self.join)
        self.path = self._path("parts.safetensors", "parts", "a .safetensors file of parts, or a published catalogue")
        self.gallery_path = self._path("gallery.safetensors", "faces", "a .safetensors file written by Gallery.save")
        self._done = note("")
        act = {"view": tool.place, "said": self._done, "width": "60px"}
        files = row(
            self.path,
            button("save", "write the parts with their names to this file", self.save, **act),
            button("load", "use the parts of this file", self.load, **act),
        )
        faces = row(
            self.gallery_path,
            button("save", "write the faces that are looked through to this file", self.save_gallery, **act),
            button("load", "look through the faces of this file", self.load_gallery, **act),
        )
        show(self._fields, False)
        parts = (row(self.on), self._said, self._fields, files, faces, self._done)
        super().__init__([card(*parts, title="Names and files")], layout={"width": "100%"})

    @property
    def active(self) -> bool:
        """Whether clicks on the picture collect clusters."""
        return bool(self.on.value)

    def toggle(self, cluster: int) -> None:
        """Put a cluster to the others, or take it away."""
        self.picked ^= {cluster}
        self._tell()

    def follow(self) -> None:
        """Another part was chosen: begin with its clusters."""
        machine, part = self._tool.machine, self._tool.part
        if not self.active or machine is None:
            return
        self._from = part if part in machine.catalogue.parts else None
        self.picked = set(machine.catalogue.parts[self._from]) if self._from else set()
        with quiet(self.called):
            self.called.value = self._from or ""
        self._tell()

    def name(self) -> None:
        """Make one part of what was collected."""
        machine = self._tool.machine
        if machine is None:
            raise ValueError("there are no parts for this generator yet: press Prepare first, or load a file")
        if not self.picked:
            raise ValueError("nothing is collected yet: click places on the picture, or choose a part to begin with")
        called = self.called.value.strip()
        joined = machine.catalogue.parts.get(called, ()) if called != self._from else ()
        catalogue = machine.catalogue.named(called, sorted(self.picked | set(joined)))
        self._tool.machine = type(machine)(machine.session, catalogue)
        self._tool.part = called
        say(self._done, f"{called!r} it is. Save the file to keep it for next time.")

    def stop(self) -> None:
        """Clicks choose parts again."""
        self.on.value = False

    def show_map(self) -> None:
        """Show what can be clicked: parts, or clusters while they are collected."""
        machine, host = self._tool.machine, self._tool.host
        if machine is None:
            return
        if self.active:
            catalogue = machine.catalogue
            names = [catalogue.part_of(k) or f"cluster {k + 1}, no part yet" for k in range(len(catalogue.centres))]
            self._tool.map.show(machine.clusters(host.value), names)
        else:
            self._tool.map.show(machine.labels(host.value), machine.catalogue.names)

    # -- files ---------------------------------------------------------------------------------------------------------
    def save(self) -> str:
        """Write the parts."""
        if self._tool.machine is None:
            raise ValueError("there are no parts for this generator yet: press Prepare first")
        return f"saved in {self._tool.machine.save(self.path.value)}"

    def load(self) -> str:
        """Use the parts of a file."""
        from .....editing.parts.parts import Parts

        self._tool.machine = Parts.load(self.path.value, self._tool.host.session)
        return f"loaded from {self.path.value}"

    def save_gallery(self) -> str:
        """Write the faces that are looked through."""
        gallery = self._tool.faces.gallery
        if gallery is None:
            raise ValueError("the faces are still being looked through; try again in a moment")
        return f"saved {len(gallery)} faces in {gallery.save(self.gallery_path.value)}"

    def load_gallery(self) -> str:
        """Look through the faces of a file."""
        from .....editing.parts.gallery import Gallery

        gallery = Gallery.load(self.gallery_path.value)
        self._tool.faces.gallery = gallery
        return f"{len(gallery)} faces from {self.gallery_path.value}"

    # -- inside --------------------------------------------------------------------------------------------------------
    def _path(self, value: str, label: str, tip: str) -> widgets.Text:
        style, layout = {"description_width": "40px"}, {"width": "260px"}
        return control(widgets.Text, value, tip=tip, style=style, layout=layout, description=label)

    def _switch(self, on: bool) -> None:
        show(self._fields, on)
        self.picked = set()
        self.show_map()
        if on:
            self.follow()
            self._tell()
        else:
            say(self._said, "")
            self._tool.map.chosen = [self._tool.choice.chosen]

    def _tell(self) -> None:
        self._tool.map.chosen = sorted(self.picked)
        count = len(self.picked)
        say(
            self._said,
            f"{count} place{'s' * (count != 1)} collected: click on the picture to add or take away."
            if count
            else "Click on the picture what belongs together, or choose a part above to begin with.",
        )
