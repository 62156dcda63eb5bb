"""The catalogue of methods of inversion, from which scripts and panels are made. Knows no torch: what a method runs is imported
when it starts."""

from __future__ import annotations

from ..settings import Method, Setting
from . import encoders, methods

METHODS: dict[str, Method] = {}
"""By name, in the order of a menu. `register` adds."""

NETS = ("auto", "vgg", "alex", "squeeze", "factors")
"""Networks of a perceptual distance."""
SPACES = ("w", "w+", "s")
STARTS = ("mean", "random", "uniform")
BUNDLED = "bundled"
"""Stands for the encoder that ships."""
ENCODERS = ("restyle", "e4e", "psp")
"""Encoders in the order in which "auto" likes them."""
FIRST = (*ENCODERS, "projector")
"""What a hybrid can begin with."""
PIVOTS = ("projector", "e4e", "restyle", "psp", "hybrid")
"""What pivotal tuning can begin with."""


def register(method: Method) -> Method:
    """Add a method to the catalogue: one of the package, or anybody's, whose ``start="my_module:begin"`` is imported when it
    is first used."""
    METHODS[method.name] = method
    return method


def _encoder(kind: str, title: str, line: str, source: str, *more: Setting) -> None:
    register(
        Method(
            kind,
            title,
            line,
            source,
            f"{__package__}.encoders.runs:start_{kind}",
            (
                *more,
                Setting(
                    "encoder",
                    BUNDLED,
                    "the one that ships, or a path: of one that `stylewidgets train encoders` made, or a "
                    "checkpoint of the public releases",
                    advanced=True,
                ),
            ),
            kind="encoder",
            available=lambda session: encoders.runs.unfit(kind, session),
        )
    )


_encoder(
    "psp",
    "pSp encoder",
    "A network that has seen thousands of pictures answers at once, with a w for every layer.",
    "Richardson et al., Encoding in Style, 2021",
)
_encoder(
    "e4e",
    "e4e encoder",
    "Answers at once, too, but keeps the layers alike: a little less exact, better to edit.",
    "Tov et al., Designing an Encoder for StyleGAN Image Manipulation, 2021",
)
_encoder(
    "restyle",
    "ReStyle encoder",
    "Looks at what it drew beside the target and corrects itself, several times.",
    "Alaluf et al., ReStyle, 2021",
    Setting("steps", 3, "passes; the bundled encoder was trained with 3, the paper takes 5", 1, 20),
)

SEED = Setting("seed", 0, "of noise, perturbation and random starts", 0, 2**32 - 1, advanced=True)
NET = Setting(
    "net",
    "auto",
    "network of the perceptual loss; auto: LPIPS if its backbone is here, else the factor network",
    choices=NETS,
    advanced=True,
)
CAMERA = Setting(
    "camera",
    "still",
    "still: seen straight ahead; find: the camera is found along with the code, for generators with a scene in space",
    choices=("still", "find"),
    advanced=True,
)
START = Setting("start", "mean", "where to start: mean of w, a random face, or even random numbers", choices=STARTS)

register(
    Method(
        "projector",
        "Projector (StyleGAN2)",
        "Walks from the average face along the slope of a perceptual distance; w stays where faces are, so edits work well.",
        "Karras et al., Analyzing and Improving the Image Quality of StyleGAN, 2020",
        f"{__package__}.methods.projector:Projector",
        (
            Setting("steps", 1000, "steps of Adam", 1, 100_000),
            Setting("space", "w", "w: one vector for all layers; w+: one for each", choices=("w", "w+")),
            Setting("rate", 0.1, "highest learning rate", 1e-5, 10.0, log=True),
            Setting("fit_noise", True, "fit the noise pictures too"),
            START,
            Setting("perturbation", 0.05, "noise added to w at first, in σ of w", 0.0, 1.0, advanced=True),
            Setting("regulariser", 1e5, "weight of the noise regulariser", 0.0, 1e8, advanced=True),
            Setting("pixels", 0.0, "weight of the mean square of pixels", 0.0, 1e4, advanced=True),
            Setting("ms_ssim", 0.0, "weight of 1 − MS-SSIM", 0.0, 1e4, advanced=True),
            Setting("identity", 0.0, "weight of 1 − cosine of identity embeddings", 0.0, 1e4, advanced=True),
            Setting("identity_net", "factors", "identity network, as register_identity named it", advanced=True),
            Setting("w_distance", 0.0, "weight of the distance from the mean of w, in σ", 0.0, 1e4, advanced=True),
            CAMERA,
            NET,
            SEED,
        ),
        from_paper=True,
    )
)

register(
    Method(
        "fast",
        "Fast projector",
        "L-BFGS from an encoder's guess, or the best of a few faces: much quicker than the projector to the same distance.",
        "L-BFGS: Nocedal, Updating Quasi-Newton Matrices with Limited Storage, 1980",
        f"{__package__}.methods.fast:FastProjector",
        (
            Setting("steps", 200, "evaluations of picture and gradient", 1, 100_000),
            Setting("space", "w", "w: one vector for all layers; w+: one for each", choices=("w", "w+")),
            Setting(
                "start",
                "auto",
                "an encoder's guess, the best of some faces, or the mean of w; auto: an encoder if one fits",
                choices=("auto", "encoder", "samples", "mean"),
            ),
            Setting("samples", 15, "faces to choose the start from, besides the mean", 0, 10_000),
            Setting(
                "coarse", 0.6, "share of the steps with a smaller picture, of 128 px and more", 0.0, 1.0, advanced=True
            ),
            Setting("memory", 60, "moves whose curvature is remembered", 1, 500, advanced=True),
            Setting("pixels", 0.0, "weight of the mean square of pixels", 0.0, 1e4, advanced=True),
            NET,
            SEED,
        ),
    )
)

register(
    Method(
        "image2stylegan",
        "Image2StyleGAN",
        "Gives every layer a w of its own and fits pixels and features: close to any picture, but harder to edit.",
        "Abdal et al., Image2StyleGAN, 2019",
        f"{__package__}.methods.image2stylegan:Image2StyleGAN",
        (
            Setting("steps", 5000, "steps of Adam", 1, 100_000),
            Setting("space", "w+", "w, w+ or the styles s", choices=SPACES),
            Setting("rate", 0.01, "learning rate", 1e-5, 10.0, log=True),
            START,
            Setting("pixels", 1.0, "λ of the mean square of pixels", 0.0, 1e4),
            Setting("perceptual", 1.0, "λ of the mean squares of feature maps", 0.0, 1e4),
            Setting("relu", False, "take VGG16's maps after their ReLU, as many re-implementations do", advanced=True),
            CAMERA,
            NET,
            SEED,
        ),
        from_paper=True,
    )
)

register(
    Method(
        "image2stylegan++",
        "Image2StyleGAN++",
        "Fits w+ and then the noise pictures, which take up every fine detail; with a mask it fills holes.",
        "Abdal et al., Image2StyleGAN++, 2020",
        f"{__package__}.methods.image2stylegan_pp:start",
        (
            Setting(
                "task",
                "reconstruction",
                "reconstruct, or fill in what the mask leaves out",
                choices=("reconstruction", "inpainting"),
            ),
            Setting("steps", 5000, "steps for w+", 0, 100_000),
            Setting("noise_steps", 3000, "steps for the noise, after those for w+", 0, 100_000),
            Setting("rate", 0.01, "learning rate of w+", 1e-5, 10.0, log=True),
            Setting("noise_rate", 5.0, "learning rate of the noise", 1e-4, 50.0, log=True),
            START,
            Setting("pixels", 1.0, "λ of the mean square of pixels", 0.0, 1e4, advanced=True),
            Setting("perceptual", 1.0, "λ of the mean squares of feature maps", 0.0, 1e4, advanced=True),
            Setting(
                "style", 0.05, "λ of the Gram matrices, where another picture gives the style", 0.0, 1e4, advanced=True
            ),
            Setting("blur", 0.03, "softness of a mask's edge, share of the picture's side", 0.0, 0.5, advanced=True),
            Setting("relu", False, "take VGG16's maps after their ReLU", advanced=True),
            NET,
            SEED,
        ),
        from_paper=True,
    )
)

register(
    Method(
        name="hybrid",
        title="Encoder, then optimisation",
        kind="hybrid",
        line="A network guesses the code in one go, and optimisation goes on from there: most of the quality for little time.",
        source="Zhu et al., ECCV 2020",
        start=f"{__package__}.methods.hybrid:hybrid",
        settings=(
            Setting(
                "start",
                "auto",
                "what makes the first guess; auto: the best encoder for this generator, else the projector",
                choices=("auto", *FIRST),
            ),
            Setting(
                "space",
                "w+",
                "space of the optimisation; start: that of the first guess",
                choices=("start", "w", "w+", "s"),
            ),
            Setting("steps", 100, "steps after the first guess", low=1, high=5000, log=True),
            Setting(
                "rate", 0.1, "learning rate in standard deviations of a coordinate of w", low=1e-4, high=2.0, log=True
            ),
            Setting("pixels", 1.0, "weight of the mean square of pixels", low=0.0, high=100.0, advanced=True),
            Setting("perceptual", 0.8, "weight of the perceptual distance", low=0.0, high=100.0, advanced=True),
            Setting(
                "anchor",
                0.0,
                "weight that holds the code at the first guess, which keeps it editable",
                low=0.0,
                high=10.0,
                advanced=True,
            ),
            Setting(
                "start_steps",
                100,
                "steps of the projector, where it makes the first guess",
                low=1,
                high=5000,
                log=True,
                advanced=True,
            ),
            Setting("net", "auto", "network of the perceptual distance", choices=NETS, advanced=True),
            Setting("seed", 0, "of the start, where it is random", low=0, high=2**32 - 1, advanced=True),
        ),
        available=lambda session: methods.two_phases.usable(session, FIRST),
    )
)

register(
    Method(
        name="pti",
        title="Pivotal tuning (PTI)",
        kind="hybrid",
        line="A code in w that is only nearly right but edits well; then the generator itself is bent until it fits the picture.",
        source="Roich et al., TOG 2022",
        start=f"{__package__}.methods.pivotal:pti",
        together=True,
        settings=(
            Setting(
                "pivot",
                "projector",
                "what finds the pivot; an encoder is quicker, the projector's w edits best",
                choices=("auto", *PIVOTS),
            ),
            Setting("pivot_steps", 450, "steps of the projector", low=1, high=5000, log=True),
            Setting(
                "pivot_rate",
                0.01,
                "highest learning rate of the projector",
                low=1e-4,
                high=1.0,
                log=True,
                advanced=True,
            ),
            Setting("steps", 350, "most steps of tuning", low=1, high=5000, log=True),
            Setting("rate", 3e-4, "learning rate of the generator's parameters", low=1e-6, high=1e-1, log=True),
            Setting(
                "locality", 0.0, "weight of the locality regulariser; 0.1 for several pictures", low=0.0, high=10.0
            ),
            Setting("stop", 0.06, "tuning ends at this LPIPS", low=0.0, high=1.0, advanced=True),
            Setting(
                "radius",
                30.0,
                "length of the regulariser's step from the pivot in w+ (α)",
                low=0.1,
                high=1000.0,
                log=True,
                advanced=True,
            ),
            Setting("pixels", 1.0, "weight of the mean square of pixels", low=0.0, high=100.0, advanced=True),
            Setting("perceptual", 1.0, "weight of the perceptual distance", low=0.0, high=100.0, advanced=True),
            Setting("net", "auto", "network of the perceptual distance", choices=NETS, advanced=True),
            Setting("seed", 0, "of the pivot's search and of the regulariser", low=0, high=2**32 - 1, advanced=True),
        ),
        available=lambda session: methods.two_phases.usable(session, PIVOTS),
        from_paper=True,
    )
)
