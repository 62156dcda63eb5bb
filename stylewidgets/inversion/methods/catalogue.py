"""The optimisations of the catalogue with their papers' defaults. Importing this registers them."""

from __future__ import annotations

from ..losses.perceptual import NETS
from ..registry import Method, Setting, register
from ..spaces import SPACES, STARTS

SEED = Setting("seed", 0, "of noise, perturbation and random starts", 0, 2**32 - 1, advanced=True)
NET = Setting(
    "net",
    "auto",
    "network of the perceptual loss; auto: LPIPS if its backbone is here, else the factor network",
    choices=NETS,
    advanced=True,
)
START = Setting("start", "mean", "where to start: mean of w, a random face, or even random numbers", choices=STARTS)

register(
    Method(
        "projector",
        "Projector (StyleGAN2)",
        "Walks from the average face along the slope of a perceptual distance; w stays where faces are, so edits work well.",
        "Karras et al., Analyzing and Improving the Image Quality of StyleGAN, 2020",
        "methods.projector:Projector",
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
            NET,
            SEED,
        ),
    )
)

register(
    Method(
        "fast",
        "Fast projector",
        "L-BFGS from an encoder's guess, or the best of a few faces: much quicker than the projector to the same distance.",
        "L-BFGS: Nocedal, Updating Quasi-Newton Matrices with Limited Storage, 1980",
        "methods.fast:FastProjector",
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
        "methods.image2stylegan:Image2StyleGAN",
        (
            Setting("steps", 5000, "steps of Adam", 1, 100_000),
            Setting("space", "w+", "w, w+ or the styles s", choices=SPACES),
            Setting("rate", 0.01, "learning rate", 1e-5, 10.0, log=True),
            START,
            Setting("pixels", 1.0, "λ of the mean square of pixels", 0.0, 1e4),
            Setting("perceptual", 1.0, "λ of the mean squares of feature maps", 0.0, 1e4),
            Setting("relu", False, "take VGG16's maps after their ReLU, as many re-implementations do", advanced=True),
            NET,
            SEED,
        ),
    )
)

register(
    Method(
        "image2stylegan++",
        "Image2StyleGAN++",
        "Fits w+ and then the noise pictures, which take up every fine detail; with a mask it fills holes.",
        "Abdal et al., Image2StyleGAN++, 2020",
        "methods.image2stylegan_pp:start",
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
    )
)
