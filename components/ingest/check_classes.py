"""Refuse classes that would vanish, that can't be learnt, or that are one class spelled in two ways. Pure."""

import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from components.images.folder_names import look_alikes, spelled_out, split_of
from components.images.source import SourceError
from components.tools.wording import counted, named


def check_links(outside: Iterable[tuple[str, str]], folders: Iterable[str]) -> None:
    """Refuse links to folders outside the data folder that aren't followed: what they hold would be missing.

    Args:
        outside: ids of the links, and where they lead.
        folders: ids of the folders.

    Raises:
        SourceError: there is such a link, other than one that only lies beside `train/`.
    """
    divided = any("/" not in folder and split_of(folder) == "train" for folder in folders)
    for link, target in outside:
        if not divided or "/" in link or split_of(link):
            raise SourceError(
                f"data: {link} is a link out of the data folder, to {target}, and its images would be missing. Set "
                "data.follow_links=true to follow such links, or remove it"
            )


def check_spelling(places: Mapping[str, str]) -> None:
    """Refuse labels that differ only in case, Unicode or blanks, and those that no table or terminal shows as they are.

    Args:
        places: labels, each with the id of one of its files, or its folder.

    Raises:
        SourceError: there are such labels; both spellings are named, with a place each.
    """
    remedy = "Rename a folder, or give the labels by data.labels_csv"
    for one, other in look_alikes(places):
        raise SourceError(
            f"data: one class in two spellings? {spelled_out(one)} ({places[one]}) and {spelled_out(other)} "
            f"({places[other]}) differ only in case, Unicode or blanks. {remedy}"
        )
    for label, place in sorted(places.items()):
        if label != label.strip():
            raise SourceError(
                f"data: a class can't begin or end with a blank: {spelled_out(label)} ({place}). {remedy}"
            )
        if any(unicodedata.category(letter) == "Cc" for letter in label):
            raise SourceError(
                f"data: a class can't have a line's end or another control character: {spelled_out(label)} "
                f"({place!r}). {remedy}"
            )


def check_images(
    labels: Iterable[str], images: Collection[tuple[str, str]], reasons: Mapping[str, Sequence[str]]
) -> None:
    """Refuse a class without images, or without one to train on: the model wouldn't know it.

    Args:
        labels: all classes.
        images: label of each image, and its split, "" where that is to be decided.
        reasons: by label, why files of it can't be used.

    Raises:
        SourceError: there is such a class; the first is explained.
    """
    usable = {label for label, _ in images}
    to_train = Counter(label for label, split in images if not split)
    without = sorted(set(labels) - usable)
    for label in without[:1]:
        why = "its folder is empty"
        if bad := reasons.get(label):
            why = f"{counted(len(bad), 'file')} can't be used, the first: {bad[0]}"
        more = f" ({len(without):,} such classes: {named(without)})" if len(without) > 1 else ""
        raise SourceError(
            f"data: no usable image of the class {label}: {why}. Mend that, or move the folder out of the data{more}"
        )
    for label in sorted(labels):
        if not to_train[label]:
            given = "/".join(sorted({split for name, split in images if name == label}))
            raise SourceError(
                f"data: the class {label} has images in the given {given} split only, and none to train on. Add some "
                "to train, or name the folders that are to be used by data.splits"
            )


def refuse_other_words(labels: Mapping[str, Collection[str]]) -> None:
    """Refuse folders in which classes are numbers beside others in which they have names.

    Args:
        labels: the classes in each data folder, by its name.

    Raises:
        SourceError: there are such folders.
    """
    numbered = sorted(name for name, found in labels.items() if found and all(map(str.isdecimal, found)))
    worded = sorted(name for name, found in labels.items() if any(not label.isdecimal() for label in found))
    if numbered and worded:
        one, other = numbered[0], worded[0]
        raise SourceError(
            f"data: {one} has numbers for classes ({', '.join(sorted(labels[one])[:5])}), and {other} has names "
            f"({', '.join(sorted(labels[other])[:5])}): rename the folders in {one}, or give its labels by "
            "data.labels_csv"
        )
