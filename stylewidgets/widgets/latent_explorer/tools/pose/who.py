"""Who stands in the picture, and how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..... import avatars
from .....latent.pose import Pose

if TYPE_CHECKING:
    from .....avatars import Figure
    from .....generators.posed import Person
    from .....latent.latent import Latent
    from .....session.session import GeneratorSession

NOBODY = "Nobody is drawn yet: choose somebody under Person."
FROM_FILES = (
    "This person comes from files, which have no joints to pull. It takes the pose of an IUV picture: give one below, under "
    '"take a pose".'
)


class Who(NamedTuple):
    """Whom a latent draws.

    Attributes:
        source: what the session was given; None where nobody was.
        figure: the avatar, without what it borrowed; None for others.
        person: the same of a person from files.
        pose: as the latent has it.
    """

    source: Any = None
    figure: Figure | None = None
    person: Person | None = None
    pose: Pose = Pose()

    @classmethod
    def of(cls, session: GeneratorSession, latent: Latent) -> Who:
        """That of this latent; of the first source where it names none."""
        pose = latent.view if isinstance(latent.view, Pose) else Pose()
        name = latent.source if latent.source is not None else session.first_source
        if not isinstance(name, str):
            return cls(pose=pose)
        try:
            source = session.known(name)
        except ValueError:  # given to another session, or so long ago that it is forgotten
            return cls(pose=pose)
        figure, person = getattr(source, "figure", source), getattr(source, "person", source)
        return cls(
            source,
            figure if isinstance(figure, avatars.Figure) else None,
            person if hasattr(person, "iuv") else None,
            pose,
        )

    @property
    def groups(self) -> Sequence[str]:
        """Groups of factors of the avatar; those of a half figure where there is none."""
        return avatars.BODY if self.figure is None else self.figure.groups

    @property
    def angles(self) -> dict[str, float]:
        """Every angle as it stands, in degrees; nothing for what has no joints."""
        return {} if self.figure is None else {**self.figure.angles, **self.pose.angles}

    @property
    def full(self) -> Pose:
        """The pose with every angle stated, so that it is the same of any avatar."""
        return avatars.pose_of(self.angles) if self.figure is not None else self.pose


def called(name: str) -> str:
    """What an angle or a joint is called: "left arm, raise" of arm_left_raise."""
    side = next((word for word in name.split("_") if word in ("left", "right")), "")
    words = [word for word in name.split("_") if word != side]
    if name.startswith("arm_"):
        return f"{side} arm, {words[1]}"
    return " ".join(filter(None, (side, *words)))


def told(angles: Mapping[str, float], names: Sequence[str]) -> str:
    """How some angles stand, in words: "raise 60°, swing 4°"."""
    short = [name.split("_")[-1] if name.startswith("arm_") else name.split("_")[0] for name in names]
    short = [name.split("_")[-1] if name.startswith("body_") else word for name, word in zip(names, short, strict=True)]
    return ", ".join(f"{word} {angles[name]:.0f}°" for name, word in zip(names, short, strict=True))
