"""Draw one face: 96×96×3 uint8 RGB, the expression in brows, eyes, nose and mouth, all else independent of it.

Expressions follow the facial action coding system (Ekman & Friesen 1978): a table gives each emotion's action units,
which move the control points of the features. Coordinates are in units of half the face's width, x to the viewer's
right, y down, the origin between eyes and mouth.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.sample.canvas import Canvas, Colour, colour_of, curve, ellipse, mix, shade

SIZE = 96
_CANVAS = 2 * SIZE  # drawn at twice the size, then averaged: cheap antialiasing of fills


@dataclass(frozen=True)
class Expression:
    """Action units, each about -1 … 1; 0 is the neutral face."""

    inner_brow: float = 0.0  # AU1 raised, negative AU4 lowered
    outer_brow: float = 0.0  # AU2 raised
    brow_together: float = 0.0  # AU4
    eye_open: float = 0.0  # AU5 upper lid raised, negative: droops or narrows
    lower_lid: float = 0.0  # AU7, AU6: lid tightened, cheek raised
    nose_wrinkle: float = 0.0  # AU9
    corner_up: float = 0.0  # AU12 pulled up, negative AU15 depressed
    corner_up_one_side: float = 0.0  # AU14, unilateral
    mouth_width: float = 0.0  # AU20 stretched, negative AU18 puckered
    mouth_open: float = 0.0  # AU25-27
    upper_lip: float = 0.0  # AU10 raised
    lip_press: float = 0.0  # AU23-24


EXPRESSIONS: dict[str, Expression] = {
    "anger": Expression(inner_brow=-1.0, outer_brow=0.35, brow_together=0.9, lower_lid=0.5, corner_up=-0.35,
                        mouth_width=-0.25, lip_press=0.9, eye_open=0.15),
    "contempt": Expression(corner_up_one_side=1.0, eye_open=-0.25, lower_lid=0.15, outer_brow=0.1, lip_press=0.3),
    "disgust": Expression(inner_brow=-0.55, brow_together=0.35, eye_open=-0.45, lower_lid=0.7, nose_wrinkle=1.0,
                          upper_lip=1.0, corner_up=-0.55, mouth_open=0.15),
    "fear": Expression(inner_brow=0.9, outer_brow=0.25, brow_together=0.8, eye_open=0.9, mouth_width=0.75,
                       mouth_open=0.45, corner_up=-0.3),
    "happy": Expression(corner_up=1.0, mouth_width=0.5, mouth_open=0.35, lower_lid=0.6, eye_open=-0.15),
    "neutral": Expression(),
    "sad": Expression(inner_brow=0.85, outer_brow=-0.45, brow_together=0.4, eye_open=-0.5, corner_up=-0.9,
                      mouth_width=-0.15),
    "surprise": Expression(inner_brow=0.9, outer_brow=0.95, eye_open=1.0, mouth_open=1.0, mouth_width=-0.45),
}  # fmt: skip


@dataclass(frozen=True)
class Person:
    """What stays the same in all pictures of one identity."""

    skin: Colour
    hair: Colour
    iris: Colour
    lips: Colour
    height: float
    jaw: float
    eye_gap: float
    eye_size: float
    brow_weight: float
    nose_length: float
    mouth_width: float
    hair_style: int
    beard: bool
    glasses: bool

    @staticmethod
    def draw(rng: np.random.Generator) -> "Person":
        """Return a random identity."""
        tone = rng.uniform(0.0, 1.0)
        skin = np.array([62, 40, 28]) * (1 - tone) + np.array([244, 212, 186]) * tone + rng.normal(0, 6, 3)
        hairs = ((28, 22, 20), (70, 44, 26), (120, 80, 44), (186, 150, 92), (150, 150, 152), (140, 58, 32))
        irises = ((52, 34, 20), (70, 100, 60), (74, 106, 140), (90, 90, 90))
        return Person(
            skin=colour_of(skin),
            hair=hairs[rng.integers(len(hairs))],
            iris=irises[rng.integers(len(irises))],
            lips=colour_of(skin * 0.72 + np.array([52, 6, 12])),
            height=rng.uniform(1.18, 1.38),
            jaw=rng.uniform(0.62, 0.86),
            eye_gap=rng.uniform(0.38, 0.46),
            eye_size=rng.uniform(0.17, 0.21),
            brow_weight=rng.uniform(0.05, 0.09),
            nose_length=rng.uniform(0.36, 0.48),
            mouth_width=rng.uniform(0.34, 0.44),
            hair_style=int(rng.integers(4)),
            beard=bool(rng.random() < 0.15),
            glasses=bool(rng.random() < 0.2),
        )


def draw_face(label: str, person: Person, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw one picture of `person` with the emotion `label`.

    Args:
        label: a key of `EXPRESSIONS`.
        person: the identity.
        rng: decides the strength of the expression, the pose, the light, the background, blur and noise.

    Returns:
        96×96×3 uint8 RGB.
    """
    strength = rng.uniform(0.75, 1.0)
    shown = {k: v * strength + rng.normal(0, 0.06) for k, v in vars(EXPRESSIONS[label]).items()}
    side = 1.0 if rng.random() < 0.5 else -1.0
    image = _background(rng)
    yaw, pitch, roll = rng.normal(0, 0.10), rng.normal(0, 0.05), rng.normal(0, 7.0)
    scale = rng.uniform(0.64, 0.76) * SIZE
    center = (_CANVAS / 2 + rng.normal(0, 0.05) * _CANVAS, _CANVAS / 2 + rng.normal(0.02, 0.04) * _CANVAS)
    rotation = np.deg2rad(roll)
    turn = np.array([[np.cos(rotation), -np.sin(rotation)], [np.sin(rotation), np.cos(rotation)]]) * scale
    head = Canvas(image, np.column_stack([turn, center]))
    # The features lie in front of the head: turning it shifts them against the outline.
    features = Canvas(image, np.column_stack([turn, np.array(center) + turn @ np.array([yaw * 1.6, pitch * 1.6])]))
    _head(head, person)
    _nose(features, person, shown)
    _mouth(features, person, shown, side)
    for eye_side in (-1.0, 1.0):
        _eye(features, person, shown, eye_side, rng.normal(0, 0.02))
        _brow(features, person, shown, eye_side)
    if person.glasses:
        _glasses(features, person)
    _hair(head, person)
    return _photograph(image, rng)


def _head(canvas: Canvas, person: Person) -> None:
    neck = np.array([[-0.42, 0.6], [0.42, 0.6], [0.55, 2.2], [-0.55, 2.2]])
    canvas.fill(neck, shade(person.skin, 0.82))
    for ear in (-1.0, 1.0):
        canvas.fill(ellipse(ear * 1.0, -0.05, 0.13, 0.24), shade(person.skin, 0.9))
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    y = np.sin(angle) * person.height
    width = np.where(y > 0, 1 - (1 - person.jaw) * (y / person.height) ** 2, 1.0)
    canvas.fill(np.column_stack([np.cos(angle) * width, y - 0.05]), person.skin)
    if person.beard:
        low = (angle > 0.15) & (angle < np.pi - 0.15)
        outer = np.column_stack([np.cos(angle) * width * 0.98, y - 0.06])[low]
        inner = outer[::-1] * np.array([0.72, 0.62]) + np.array([0.0, 0.08])
        canvas.fill(np.concatenate([outer, inner]), mix(person.hair, person.skin, 0.55))


def _hair(canvas: Canvas, person: Person) -> None:
    if person.hair_style == 0:
        return
    angle = np.linspace(np.pi + 0.12, 2 * np.pi - 0.12, 24)
    outer = np.column_stack([np.cos(angle) * 1.08, np.sin(angle) * (person.height + 0.1) - 0.06])
    line = {1: -0.78, 2: -0.66, 3: -0.86}[person.hair_style]
    inner_x = np.linspace(0.92, -0.92, 12)
    wave = 0.10 * np.cos(inner_x * (3.0 if person.hair_style == 2 else 1.6))
    canvas.fill(np.concatenate([outer, np.column_stack([inner_x, line - wave + 0.25 * inner_x**2])]), person.hair)
    if person.hair_style == 3:
        for side in (-1.0, 1.0):
            lock = np.array([[0.86, -0.7], [1.12, -0.6], [1.18, 0.9], [0.95, 0.8]]) * np.array([side, 1.0])
            canvas.fill(lock, person.hair)


def _eye(canvas: Canvas, person: Person, shown: dict[str, float], side: float, gaze: float) -> None:
    x, y, half = side * person.eye_gap, -0.22, person.eye_size
    upper = half * np.clip(0.62 + 0.42 * shown["eye_open"], 0.12, 1.2)
    lower = half * np.clip(0.42 - 0.34 * shown["lower_lid"] + 0.12 * max(shown["eye_open"], 0), 0.04, 0.7)
    t = np.linspace(-1, 1, 12)
    arc = 1 - t**2
    lid_top = np.column_stack([x + t * half, y - upper * arc])
    lid_low = np.column_stack([x + t * half, y + lower * arc])
    white = np.concatenate([lid_top, lid_low[::-1]])
    canvas.fill(white, (236, 234, 230))
    radius = half * 0.52
    iris = ellipse(x + gaze, y - 0.01, radius, radius)
    iris[:, 1] = np.clip(iris[:, 1], y - upper * 0.96, y + lower * 0.96)
    canvas.fill(iris, person.iris)
    pupil = ellipse(x + gaze, y - 0.01, radius * 0.5, radius * 0.5)
    pupil[:, 1] = np.clip(pupil[:, 1], y - upper * 0.9, y + lower * 0.9)
    canvas.fill(pupil, (12, 10, 10))
    canvas.stroke(lid_top, shade(person.skin, 0.35), 0.035)
    canvas.stroke(lid_low, shade(person.skin, 0.62), 0.018)
    if shown["lower_lid"] > 0.35:  # a raised cheek folds the skin under the eye
        canvas.stroke(lid_low + np.array([0.0, 0.09]), shade(person.skin, 0.78), 0.02)


def _brow(canvas: Canvas, person: Person, shown: dict[str, float], side: float) -> None:
    inner = np.array([person.eye_gap - 0.19 - 0.07 * shown["brow_together"], -0.50 - 0.15 * shown["inner_brow"]])
    outer = np.array([person.eye_gap + 0.22, -0.50 - 0.15 * shown["outer_brow"]])
    arch = 0.06 + 0.05 * max(shown["outer_brow"], 0.0)
    middle = (inner + outer) / 2 - np.array([0.0, arch])
    canvas.stroke(curve(inner, middle, outer) * np.array([side, 1.0]), shade(person.hair, 0.8), person.brow_weight)
    if shown["brow_together"] > 0.5:
        crease = np.array([[0.05 * side, -0.56], [0.06 * side, -0.42]])
        canvas.stroke(crease, shade(person.skin, 0.7), 0.02)


def _nose(canvas: Canvas, person: Person, shown: dict[str, float]) -> None:
    wrinkle = max(shown["nose_wrinkle"], 0.0)
    tip = -0.12 + person.nose_length - 0.05 * wrinkle
    shadow = shade(person.skin, 0.72)
    canvas.stroke(np.array([[0.06, -0.15], [0.10, tip - 0.08]]), shade(person.skin, 0.88), 0.03)
    wings = 0.13 + 0.03 * wrinkle
    canvas.stroke(curve(np.array([-wings, tip - 0.03]), np.array([0.0, tip + 0.07]), np.array([wings, tip - 0.03])),
                  shadow, 0.035)  # fmt: skip
    if wrinkle > 0.3:
        for level in (0, 1):
            y = -0.20 + 0.08 * level
            canvas.stroke(np.array([[-0.10, y], [0.0, y + 0.03], [0.10, y]]), shadow, 0.018)
        for side in (-1.0, 1.0):  # the fold from nose to mouth deepens
            canvas.stroke(np.array([[side * 0.19, tip - 0.02], [side * 0.36, tip + 0.2]]), shadow, 0.022)


def _mouth(canvas: Canvas, person: Person, shown: dict[str, float], side: float) -> None:
    y = 0.60
    half = person.mouth_width * (1 + 0.32 * shown["mouth_width"])
    lift = 0.17 * shown["corner_up"]
    uneven = 0.20 * max(shown["corner_up_one_side"], 0.0)
    left = np.array([-half, y - lift - (uneven if side < 0 else 0.0)])
    right = np.array([half, y - lift - (uneven if side > 0 else 0.0)])
    opening = max(0.42 * shown["mouth_open"], 0.0)
    raised = 0.11 * max(shown["upper_lip"], 0.0)
    sag = 0.05 * shown["corner_up"]
    thick = max(0.075 * (1 - 0.75 * max(shown["lip_press"], 0.0)), 0.015)
    top = curve(left, np.array([0.0, y + sag - opening * 0.35 - raised]), right)
    low = curve(left, np.array([0.0, y + sag + opening * 0.65 + 0.02]), right)
    if opening > 0.05 or raised > 0.05:
        canvas.fill(np.concatenate([top, low[::-1]]), (58, 18, 20))
        if shown["corner_up"] > 0.4 or raised > 0.05 or shown["mouth_width"] > 0.4:
            teeth = np.concatenate([top, (top * 0.55 + low * 0.45)[::-1]])
            canvas.fill(teeth, (232, 228, 218))
        canvas.stroke(np.concatenate([top, low[::-1]]), person.lips, thick, closed=True)
    else:
        canvas.stroke((top + low) / 2, person.lips, thick * 1.4)
        canvas.stroke((top + low) / 2, shade(person.lips, 0.5), 0.022)
    if shown["corner_up"] > 0.4:  # cheeks: the folds beside a smile
        for at, corner in ((-1.0, left), (1.0, right)):
            fold = np.array([[at * 0.24, 0.24], [corner[0] + at * 0.10, corner[1]]])
            canvas.stroke(fold, shade(person.skin, 0.78), 0.02)


def _glasses(canvas: Canvas, person: Person) -> None:
    for side in (-1.0, 1.0):
        canvas.stroke(ellipse(side * person.eye_gap, -0.2, 0.30, 0.25), (30, 28, 30), 0.03, closed=True)
    canvas.stroke(np.array([[-person.eye_gap + 0.3, -0.24], [person.eye_gap - 0.3, -0.24]]), (30, 28, 30), 0.03)


def _background(rng: np.random.Generator) -> NDArray[np.uint8]:
    corners = rng.uniform(30, 225, (2, 2, 3)).astype(np.float32)
    image = cv2.resize(corners, (_CANVAS, _CANVAS), interpolation=cv2.INTER_LINEAR).astype(np.uint8)
    for _ in range(int(rng.integers(0, 5))):
        colour = colour_of(rng.uniform(20, 235, 3))
        center = tuple(int(v) for v in rng.integers(0, _CANVAS, 2))
        cv2.circle(image, center, int(rng.integers(8, 60)), colour, -1, cv2.LINE_AA)
    return image


def _photograph(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Light from one side, exposure, white balance, blur and noise."""
    small = cv2.resize(image, (SIZE, SIZE), interpolation=cv2.INTER_AREA).astype(np.float32)
    direction = rng.uniform(0, 2 * np.pi)
    ramp = np.linspace(-1, 1, SIZE, dtype=np.float32)
    light = 1 + rng.uniform(0, 0.35) * (np.cos(direction) * ramp[None, :] + np.sin(direction) * ramp[:, None])
    balance = rng.normal(1, 0.06, 3).astype(np.float32)
    small *= light[..., None].astype(np.float32) * balance * np.float32(rng.uniform(0.7, 1.25))
    if rng.random() < 0.4:
        small = cv2.GaussianBlur(small, (3, 3), rng.uniform(0.3, 0.9))
    small += rng.normal(0, rng.uniform(1.0, 6.0), small.shape).astype(np.float32)
    return np.clip(small, 0, 255).astype(np.uint8)
