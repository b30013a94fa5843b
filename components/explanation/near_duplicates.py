"""Images of two splits that are versions of one picture, and that no hash has found: a possible leak.

A trained network puts whole classes close together, so no fixed cosine tells versions of a picture from other pictures
of its class. Two measures decide, and this data's own held-out images say how far either goes: of some of them versions
are made (4 % cropped from each side, encoded again at JPEG quality 60). A pair counts where its cosine is as high as
that of 19 of 20 such versions with their originals, and where the pictures themselves correlate (`same_picture`) as
well as 9 of 10, and 0.9 at least. Images of one group don't count: they are known to belong together.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np

from components.explanation.embeddings import Embed, Embeddings, unit_rows
from components.explanation.neighbours import nearest
from components.explanation.pictures import pixels_of
from components.explanation.same_picture import likeness, small
from components.images.codec import Pixels, encode

VERSIONS = 200  # made at most
CROPPED, QUALITY = 0.04, 60
_COSINE, _PIXELS = 0.05, 0.1  # of the versions that may lie below what is asked for
_LEAST_PIXELS = 0.9
_NEIGHBOURS = 5  # of an image in another split that are looked at
_COMPARED = 5000  # pairs whose pictures are compared at most, those of the highest cosine

Read = Callable[[Iterable[str]], Iterator[tuple[str, bytes]]]


class Rule(NamedTuple):
    """When two images count as versions of one picture.

    Attributes:
        cosine: between their features, at least.
        pixels: correlation of the pictures, at least.
        found: share of the versions made that meet both.
        versions: how many were made.
    """

    cosine: float
    pixels: float
    found: float
    versions: int


class Pair(NamedTuple):
    """Two images of different splits.

    Attributes:
        image: place of that of test, or of eval where the other is of train.
        other: place of the other one.
        cosine: between their features.
        pixels: correlation of the pictures.
    """

    image: int
    other: int
    cosine: float
    pixels: float


def version_of(pixels: Pixels) -> bytes:
    """Return a picture cropped by 4 % on each side, as JPEG of quality 60."""
    rows, columns = (round(CROPPED * side) for side in pixels.shape[:2])
    cropped = pixels[rows : pixels.shape[0] - rows, columns : pixels.shape[1] - columns]
    return encode(np.ascontiguousarray(cropped), "jpeg", QUALITY, subsampled=True)


def learn_rule(embeddings: Embeddings, read: Read, embed: Embed) -> Rule:
    """Return what versions of this data's own images have in common with their originals.

    Args:
        embeddings: of the data; images of test and eval are taken, which digests of their names choose.
        read: from ids to ids and encoded images, in any order.
        embed: from encoded images to features, batch by batch.
    """
    held_out = np.flatnonzero(embeddings.splits != "train").tolist()
    by_digest = sorted(held_out, key=lambda row: hashlib.sha256(str(embeddings.names[row]).encode()).digest())
    rows = {str(embeddings.names[row]): row for row in by_digest[:VERSIONS]}
    if not rows:
        return Rule(1.0, 1.0, 0.0, 0)
    originals, versions, likenesses = [], [], []
    for name, image in read(rows):
        pixels = pixels_of(image)
        versions.append(version_of(pixels))
        originals.append(embeddings.features[rows[name]])
        likenesses.append(likeness(small(pixels), small(pixels_of(versions[-1]))))
    features = np.concatenate([unit_rows(batch) for batch in embed(versions)])
    cosines, pixels_alike = (features * np.stack(originals)).sum(axis=1), np.array(likenesses)
    cosine = float(np.quantile(cosines, _COSINE))
    least = max(float(np.quantile(pixels_alike, _PIXELS)), _LEAST_PIXELS)
    return Rule(cosine, least, float(((cosines >= cosine) & (pixels_alike >= least)).mean()), len(rows))


def find_pairs(embeddings: Embeddings, rule: Rule, read: Read) -> list[Pair]:
    """Return the pairs of images in two splits that meet the rule, the most alike first.

    Args:
        embeddings: of the data.
        rule: of `learn_rule`.
        read: from ids to ids and encoded images, in any order.
    """
    candidates = [
        *_candidates(embeddings, "test", "train", rule.cosine),
        *_candidates(embeddings, "test", "eval", rule.cosine),
        *_candidates(embeddings, "eval", "train", rule.cosine),
    ]
    compared = sorted(candidates, key=lambda one: (-one[2], one[0], one[1]))[:_COMPARED]
    names = {str(embeddings.names[row]) for image, other, _ in compared for row in (image, other)}
    pictures = {name: small(pixels_of(image)) for name, image in read(names)}
    found = []
    for image, other, cosine in compared:
        pixels = likeness(pictures[str(embeddings.names[image])], pictures[str(embeddings.names[other])])
        if pixels >= rule.pixels:
            found.append(Pair(image, other, cosine, pixels))
    return sorted(found, key=lambda pair: (-pair.pixels, pair.image, pair.other))


def _candidates(embeddings: Embeddings, split: str, among: str, cosine: float) -> list[tuple[int, int, float]]:
    """Return the nearest images in another split that are near enough and of another group."""
    here, there = np.flatnonzero(embeddings.splits == split), np.flatnonzero(embeddings.splits == among)
    found = nearest(embeddings.of(among).features, embeddings.of(split).features, _NEIGHBOURS)
    return [
        (int(here[row]), int(there[place]), float(similarity))
        for row, (places, similarities) in enumerate(zip(found.places, found.similarities, strict=True))
        for place, similarity in zip(places, similarities, strict=True)
        if similarity >= cosine and embeddings.groups[here[row]] != embeddings.groups[there[place]]
    ]
