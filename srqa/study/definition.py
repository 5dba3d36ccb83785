"""What a study is: the shape of `study.yaml`, with every default.

`loading` reads the file and says in which line something is wrong; `schema` is the same shape as
JSON Schema. Pictures are named by their path below `stimuli.root`.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from srqa.study.methods import METHODS, MethodName

Localised = str | dict[str, str]
"""One text for all languages, or a text for each (`{en: ..., zh: ...}`)."""
Value = float | Literal["left", "tie", "right"]
Text = Annotated[str, Field(min_length=1)]
Several = Annotated[int, Field(ge=0, le=1000)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)


class Scale(_Part):
    """What can be answered.

    Attributes:
        points: categories of acr and acr_hr (5, 7, 9 or 11).
        labels: "itu" for the words of the recommendations, or your own from low to high.
        keys: a key for each category, from low to high; the digits without.
    """

    points: Literal[5, 7, 9, 11] = 5
    labels: Literal["itu"] | list[str] | dict[str, list[str]] = "itu"
    keys: str | None = None


class Reference(_Part):
    """Where references come from: outputs of one "method", or a folder of their own."""

    method: Text | None = None
    root: Text | None = None
    pattern: Text | None = None

    @model_validator(mode="after")
    def _one(self) -> Reference:
        if (self.method is None) == (self.root is None):
            raise ValueError("must have either `method` or `root`")
        return self


class Crop(_Part):
    """Which part of each picture is shown, the same for all pictures of a content.

    Attributes:
        size: side in pixels.
        policy: "center", "grid" (each tile is a content of its own), "all" (the whole picture; the
            size is the largest side allowed), or "max_metric_disagreement" (where `metrics`
            disagree most about the order of the methods).
        metrics: of "max_metric_disagreement".
    """

    size: Annotated[int, Field(ge=16, le=8192)] = 512
    policy: Literal["center", "grid", "all", "max_metric_disagreement"] = "center"
    metrics: list[Text] = ["psnr-y", "ssim-y"]


class Stimuli(_Part):
    """The pictures.

    Attributes:
        root: folder of outputs, from where `study.yaml` stands.
        pattern: where method, scale, dataset and content stand in a path below `root`; inferred
            as by `srqa evaluate` without it.
        reference: needed by acr_hr, dcr and ccr; a source of control questions for all.
        include, exclude: values of method, scale, dataset or content.
        crop: without it, whole pictures are shown.
    """

    root: Text
    pattern: Text | None = None
    reference: Reference | None = None
    include: dict[Literal["method", "scale", "dataset", "content"], list[str | float]] = {}
    exclude: dict[Literal["method", "scale", "dataset", "content"], list[str | float]] = {}
    crop: Crop | None = None


class Session(_Part):
    """What one participant does.

    Attributes:
        trials: questions without training, repeats and controls; all there are without.
        max_minutes: checked by `srqa study lint`.
        break_every: trials between breaks.
        subsample: which stimuli a participant gets where `trials` is less than all.
        min_gap_same_content: other trials between two of the same content.
        repeats: trials asked a second time, late in the session.
    """

    trials: Annotated[int, Field(ge=1, le=2000)] | None = None
    max_minutes: Annotated[float, Field(gt=0)] = 30
    break_every: Annotated[int, Field(ge=1)] = 25
    subsample: Literal["least_rated"] = "least_rated"
    min_gap_same_content: Annotated[int, Field(ge=0, le=100)] = 2
    repeats: Several = 0


class Pairs(_Part):
    """Which pairs there are.

    Attributes:
        design: "full" (each pair alike), "random" (drawn evenly) or "active" (those that tell
            most about the scale so far).
        within: only pictures of the same content and scale are compared.
        reference: references are among what is compared.
    """

    design: Literal["full", "random", "active"] = "full"
    within: Literal["content"] = "content"
    reference: bool = False


class Training(_Part):
    """A trial before the first that counts, with feedback.

    Attributes:
        stimulus: of ratings, the picture.
        pair: of choices, the better and the worse picture.
        expect: of ratings, the lowest and highest answer that is praised.
    """

    stimulus: Text | None = None
    pair: tuple[Text, Text] | None = None
    expect: tuple[float, float] | None = None

    @model_validator(mode="after")
    def _one(self) -> Training:
        if (self.stimulus is None) == (self.pair is None):
            raise ValueError("must have either `stimulus` or `pair`")
        return self


class Gold(_Part):
    """A picture of known quality, hidden among the others."""

    stimulus: Text
    expect: tuple[float, float]


class Checks(_Part):
    """Control questions.

    Attributes:
        gold: questions of known answer. Without `gold_stimuli` they show references, and references
            spoilt beyond doubt.
        gold_tolerance: how far from the expected answer is still right.
        traps: questions that say what to answer.
        identical_pairs: choices between a picture and itself; they tell a preference for a side.
        min_response_ms: faster answers are flagged.
        max_failed: more failed control questions flag the whole participant.
        on_fail: "flag" only, or "exclude" at once, so that their slots are given to others.
    """

    gold: Several = 0
    gold_tolerance: Annotated[float, Field(ge=0)] = 1
    gold_stimuli: list[Gold] = []
    traps: Several = 0
    identical_pairs: Several = 0
    min_response_ms: Annotated[float, Field(ge=0)] = 350
    max_failed: Several = 1
    on_fail: Literal["flag", "exclude"] = "flag"


class Display(_Part):
    """How pictures are shown.

    Attributes:
        show: "side_by_side" or "sequence" (one after the other) of methods with two pictures.
        show_ms: pictures vanish after this; they stay without.
        gap_ms: grey between trials.
        exact_pixels: "require" that a pixel of the picture is one of the screen, "prefer" or
            "ignore" it.
        pixel_ratio: "exact" refuses browser zoom that is no whole number of device pixels.
        min_viewport: width and height that the window needs, in CSS pixels.
        mobile: phones and tablets.
        background: grey around pictures.
        calibrate: ask for a bank card to learn the size of pixels.
        zoom: whether participants may enlarge pictures, by whole numbers.
        flicker, split: whether they may put two pictures in one place, one at a time or parted by a
            handle.
    """

    show: Literal["side_by_side", "sequence"] = "side_by_side"
    show_ms: Annotated[float, Field(gt=0)] | None = None
    gap_ms: Annotated[float, Field(ge=0)] = 500
    exact_pixels: Literal["require", "prefer", "ignore"] = "require"
    pixel_ratio: Literal["exact", "any"] = "any"
    min_viewport: tuple[Annotated[int, Field(ge=200)], Annotated[int, Field(ge=200)]] = (1024, 700)
    mobile: Literal["block", "allow"] = "block"
    background: Annotated[str, Field(pattern="^#[0-9a-fA-F]{6}$")] = "#777777"
    calibrate: Literal["card", "none"] = "none"
    zoom: bool = False
    flicker: bool = False
    split: bool = False


class VisionTests(_Part):
    """Tests of eyes and screen before the study; who fails is excluded or flagged."""

    acuity: Literal["landolt"] | None = None
    colour: Literal["plates"] | None = None
    brightness: Literal["shapes"] | None = None
    on_fail: Literal["exclude", "flag"] = "exclude"


class Platform(_Part):
    """A crowd platform.

    Attributes:
        name: "prolific" and "mturk" bring the names of their parameters.
        id_params: parameters of the address; the first is the person.
        completion_code: shown at the end; usually `env:NAME`.
        redirect: where to go at the end; `{code}` is filled in.
    """

    name: Text = "other"
    id_params: list[Text] = []
    completion_code: Text | None = None
    redirect: Text | None = None

    @property
    def person(self) -> str | None:
        """The parameter that tells who somebody is."""
        return next(iter(self.parameters), None)

    @property
    def parameters(self) -> list[str]:
        """Names of the parameters in the address."""
        known = {
            "prolific": ["PROLIFIC_PID", "STUDY_ID", "SESSION_ID"],
            "mturk": ["workerId", "assignmentId", "hitId"],
        }
        return self.id_params or known.get(self.name, [])


class Participants(_Part):
    """Who may take part: at most `max`, and each person once."""

    max: Annotated[int, Field(ge=1)] | None = None
    dedupe: Literal["external_id", "none"] = "external_id"
    platform: Platform | None = None


class Stop(_Part):
    """When there are answers enough: `quantile` of the intervals are narrow enough."""

    ci_half_width: Annotated[float, Field(gt=0)] = 0.35
    quantile: Annotated[float, Field(gt=0, le=1)] = 0.9
    min_votes: Annotated[int, Field(ge=2)] = 12


class Consent(_Part):
    """What participants agree to; a text of srqa's own without `text`."""

    version: Text = "1"
    text: Localised | None = None
    contact: str = ""


class Question(_Part):
    """A question after the trials."""

    id: Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,39}$")]
    text: Localised
    kind: Literal["choice", "text", "scale"] = "choice"
    options: list[Localised] = []
    optional: bool = False

    @model_validator(mode="after")
    def _options(self) -> Question:
        if self.kind == "choice" and len(self.options) < 2:
            raise ValueError("must have at least two `options`")
        return self


class Privacy(_Part):
    """What is kept of people, and for how long after the study (0: for ever)."""

    store_ip: bool = False
    retain_days: Annotated[int, Field(ge=0)] = 365
    erase: bool = True


class Analysis(_Part):
    """How `srqa study analyze` works, in the words of `srqa ratings analyze`."""

    recover: Literal[
        "auto", "none", "p913", "p913-iterated", "p910", "p910-ap", "regularised", "zrec"
    ] = "auto"
    screening: list[Text] = []
    ci: Literal["t", "normal", "bootstrap"] = "t"
    alpha: Annotated[float, Field(gt=0, lt=1)] = 0.05
    correction: Literal["auto", "holm", "bh", "none"] = "auto"
    metrics: list[Text] = ["psnr-y", "ssim-y"]


class Definition(_Part):
    """A whole study."""

    version: Literal[1]
    title: Localised
    languages: list[Text] | None = None
    method: MethodName
    seed: Text | None = None
    scale: Scale = Scale()
    stimuli: Stimuli
    session: Session = Session()
    pairs: Pairs = Pairs()
    training: list[Training] = []
    checks: Checks = Checks()
    display: Display = Display()
    screening: VisionTests = VisionTests()
    participants: Participants = Participants()
    stop: Stop = Stop()
    consent: Consent = Consent()
    questions: list[Question] = []
    privacy: Privacy = Privacy()
    analysis: Analysis = Analysis()

    @field_validator("seed", mode="before")
    @classmethod
    def _seed_as_text(cls, value: Any) -> Any:
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value

    @model_validator(mode="after")
    def _fits_the_method(self) -> Definition:
        for problem in _contradictions(self):
            raise ValueError(problem)
        return self

    @property
    def is_paired(self) -> bool:
        """Whether people choose between two pictures."""
        return METHODS[self.method].kind == "choice"


def _contradictions(given: Definition) -> list[str]:
    method, scale = METHODS[given.method], given.scale
    found = []
    if method.needs_reference and given.stimuli.reference is None:
        found.append(f"stimuli.reference: is missing, but {given.method} needs references")
    free = given.method in ("acr", "acr_hr") or method.points == scale.points
    if "points" in scale.model_fields_set and not free:
        found.append(f"scale.points: cannot be set with the method {given.method}")
    points = len(method.values(scale.points))
    lists = scale.labels.values() if isinstance(scale.labels, dict) else [scale.labels]
    for labels in lists:
        if labels != "itu" and len(labels) != (2 if method.kind == "slider" else points):
            found.append(f"scale.labels: must be {points} labels, not {len(labels)}")
    if scale.keys is not None and (
        len(scale.keys) != points or len(set(scale.keys)) != points or method.kind == "slider"
    ):
        found.append(f"scale.keys: must be {points} different keys")
    if scale.keys is not None and re.search("[cr]", scale.keys, re.I):
        found.append("scale.keys: must have neither C nor R, which belong to the page")
    for place, item in enumerate(given.training):
        if given.is_paired != (item.pair is not None):
            wanted = "pair" if given.is_paired else "stimulus"
            found.append(f"training.{place}: must have a `{wanted}` with {given.method}")
    if given.checks.identical_pairs and not given.is_paired:
        found.append("checks.identical_pairs: are for choices between two pictures")
    if not given.is_paired and {"pairs"} & given.model_fields_set:
        found.append("pairs: are for the methods pair and pair_tie")
    return found
