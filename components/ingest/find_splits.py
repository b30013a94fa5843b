"""Decide whether the top folders of a data folder are classes or splits of them.

Where the meaning is sure it is taken; where it isn't, the error shows both readings and the option that decides: a
classifier of Testing against Training is worse than a question. Pure: works on paths alone.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from components.formats.dataset import SPLITS
from components.images.folder_names import may_be_image, says_nothing, split_of
from components.images.source import SourceError

_NAMED = 4  # folders that an error names
_FEW = 10  # so many times as many others make images few enough to be strays, or not part of the data
_PLAIN = re.compile(r"(?!\d+$)[\w…][\w./-]*")  # text in YAML without quotation marks


@dataclass
class _Folder:
    """How many files that may be images lie directly in a folder, and in each of its folders."""

    direct: int = 0
    inside: Counter[str] = field(default_factory=Counter)

    @property
    def images(self) -> int:
        """All of them, at any depth."""
        return self.direct + self.inside.total()

    @property
    def holds_folders(self) -> bool:
        """Whether its images lie in folders of it, but for strays."""
        return bool(self.inside) and self.direct * _FEW <= self.inside.total()


class _Tree:
    """The images below each top folder, by their paths."""

    def __init__(self, images: Iterable[str]) -> None:
        self._by_top: dict[str, list[str]] = defaultdict(list)
        for file_id in images:
            self._by_top[file_id.partition("/")[0]].append(file_id)

    def folder(self, path: str) -> _Folder:
        """Return what a folder holds."""
        found = _Folder()
        for rest in self._below(path):
            inside, slash, _ = rest.partition("/")
            if slash:
                found.inside[inside] += 1
            else:
                found.direct += 1
        return found

    def only_folder(self, path: str) -> str:
        """Return the name of the one folder in a folder that holds nothing else, and only folders itself; else ""."""
        here = self.folder(path)
        if not here.holds_folders or len(here.inside) > 1:
            return ""
        [name] = here.inside
        return name if self.folder(f"{path}/{name}").holds_folders else ""

    def _below(self, path: str) -> Iterator[str]:
        above = f"{path}/"
        return (file_id[len(above) :] for file_id in self._by_top[path.partition("/")[0]] if file_id.startswith(above))


def find_splits(
    files: Collection[str],
    folders: Collection[str],
    *,
    layout: str = "auto",
    splits: Mapping[str, Sequence[str]] | None = None,
    labelled: Collection[str] = (),
    uri: str = "the data folder",
) -> dict[str, str]:
    """Return the folders that are splits: "train", "eval" or "test" by id; empty where the top folders are classes.

    Args:
        files: ids of the files.
        folders: ids of the folders.
        layout: "auto", or "classes" or "splits" where that was said.
        splits: ids of the folders of each split where that was said.
        labelled: ids of files to which a table gives a label, so that their folders needn't be classes.
        uri: of the data folder, for messages.

    Raises:
        SourceError: the meaning isn't sure, or the folders aren't what was said.
    """
    images = [file_id for file_id in files if may_be_image(file_id)]
    tree = _Tree(images)
    names = sorted(folder for folder in folders if "/" not in folder)
    if splits is not None:
        return _unwrapped(_as_said(splits, folders, names), tree)
    if layout == "classes":
        return {}
    named = {name: split for name in names if (split := split_of(name))}
    full = {name: folder for name in names if (folder := tree.folder(name)).images}
    if layout == "splits" or (not full and "train" in named.values()):
        return _unwrapped(_one_each(named, names), tree)
    if labelled:
        train = _Tree(file_id for file_id in images if file_id in labelled)
        known = [train.folder(name).images * 2 > full[name].images for name in full if named.get(name) == "train"]
        if known and all(known) and set(full) <= set(named):  # of a competition's test the labels are kept back
            return _unwrapped(_one_each(named, names), tree)
        is_split = {"train"} < {split for name, split in named.items() if name in full}
        if set(images) <= set(labelled) and not is_split:  # where the labels come from is no question
            return {}
    if _sure(full, named, tree):
        roots = _unwrapped(_one_each(named, names), tree)
        _refuse_deep_classes(roots, tree)
        return roots
    if not labelled:
        _refuse_wrapper(full, tree, uri)
    _refuse_doubt(full, named, tree)
    return {}


def _as_said(splits: Mapping[str, Sequence[str]], folders: Collection[str], names: Sequence[str]) -> dict[str, str]:
    roots = {folder.strip("/"): split for split, several in splits.items() for folder in several}
    for folder in roots:
        if folder not in set(folders):
            there = ", ".join(names[:20]) or "none"
            raise SourceError(f"data.splits names {folder}, which is no folder in the data folder. There are: {there}")
    return roots


def _one_each(named: dict[str, str], names: Sequence[str]) -> dict[str, str]:
    """Return the folders by name if there is one folder a split and a train among them."""
    by_split = _by_split(named)
    if "train" not in by_split:
        raise SourceError(
            f"data: none of the folders {_list(names)} is called train: say which is, by an option such as "
            f"{_option({'train': ['…']} | by_split)}"
        )
    for split, several in by_split.items():
        if len(several) > 1:
            raise SourceError(
                f"data: {_list(several)} each look like {split}: say which are, by an option such as "
                f"{_option(by_split)}; folders that it doesn't name aren't used"
            )
    return named


def _unwrapped(roots: Mapping[str, str], tree: _Tree) -> dict[str, str]:
    """Go one folder down where a split holds nothing but itself, as `seg_train/seg_train/<label>` does."""
    found = {}
    for root, split in roots.items():
        only = tree.only_folder(root)
        is_itself = only and (only == root.rpartition("/")[2] or split_of(only) == split)
        found[f"{root}/{only}" if is_itself else root] = split
    return found


def _sure(full: Mapping[str, _Folder], named: Mapping[str, str], tree: _Tree) -> bool:
    """Return whether the folders with such names are surely splits."""
    train = [full[name] for name in full if named.get(name) == "train"]
    others = [name for name in full if name not in named]
    if not train or not all(folder.inside for folder in train):
        return False
    if not others:
        return True
    classes = _classes([name for name in full if named.get(name) == "train"], tree)
    if len(classes) < 2 or not all(folder.holds_folders for folder in train):
        return False
    if classes & _classes(others, tree):
        return False  # labelled images that would be left out
    confirmed = classes & _classes([name for name in full if named.get(name) in ("test", "eval")], tree)
    beside = sum(full[name].images for name in others)
    return bool(confirmed) or beside * _FEW <= sum(folder.images for folder in train)


def _classes(names: Iterable[str], tree: _Tree) -> set[str]:
    """Return the folders in these top folders, were they splits."""
    roots = _unwrapped({name: split_of(name) or "" for name in names}, tree)
    return {label for root in roots for label in tree.folder(root).inside}


def _refuse_deep_classes(roots: Mapping[str, str], tree: _Tree) -> None:
    """Refuse `train/faces/<label>`, in which faces would be the only class."""
    inside = {tree.only_folder(root) for root in roots if tree.folder(root).images}
    if len(inside) != 1 or inside == {""}:
        return
    [folder] = inside
    classes = {label for root in roots for label in tree.folder(f"{root}/{folder}").inside}
    if len(classes) > 1:
        by_split = _by_split({f"{root}/{folder}": split for root, split in roots.items()})
        raise SourceError(
            f"data: one level too deep: {_list(roots)} {_hold(roots)} nothing but {folder}/, and that the folders "
            f"{_list(classes)}. If these are the classes, set {_option(by_split)}"
        )


def _refuse_wrapper(full: Mapping[str, _Folder], tree: _Tree, uri: str) -> None:
    """Refuse a folder that holds nothing but one other folder with the data in it."""
    if len(full) != 1:
        return
    [folder] = full
    while only := tree.only_folder(folder):
        folder = f"{folder}/{only}"
    here = tree.folder(folder)
    if here.holds_folders and len(here.inside) > 1:
        raise SourceError(
            f"data: one level too deep: {uri} holds nothing but {folder}/, and that the folders {_list(here.inside)}: "
            f"give {uri.rstrip('/')}/{folder} instead"
        )


def _refuse_doubt(full: Mapping[str, _Folder], named: Mapping[str, str], tree: _Tree) -> None:
    """Refuse folders that may be classes or splits; return where they are surely classes."""
    splits = {name: named[name] for name in full if name in named}
    others = [name for name in full if name not in named]
    if not splits and not _alike(full):
        return
    if splits and not any(full[name].inside for name in splits):
        if len(others) >= len(splits) and not any(map(says_nothing, others)):
            return  # a class that is called train, beside bus, car and plane
        raise SourceError(
            f"data: {_list(splits)} {_hold(splits)} images but no class folders. If they are splits, put the images in "
            f"{next(iter(splits))}/<label>/, or name a table of their labels by data.labels_csv, and the folders by an "
            f"option such as {_option({'train': ['…']} | _by_split(splits))}. If they are classes, set "
            "data.layout=classes"
        )
    classes = _classes(splits or full, tree)
    same = [name for name in others if classes & _classes([name], tree)]
    unused = [name for name in others if name not in same]
    by_split = _by_split(splits | dict.fromkeys(same, "train"))
    if not splits:  # names that say nothing: one of them as an example
        test = min(reversed(same), key=lambda name: full[name].images)
        by_split = {"train": [name for name in same if name != test], "test": [test]}
    note = f" ({_list(unused)} then {'is' if len(unused) == 1 else 'are'} not used)" if unused else ""
    raise SourceError(
        f"data: not sure what the folders {_list(full)} are. If they are the classes, set data.layout=classes. If "
        f"{_list([*splits, *same])} {_hold([*splits, *same])} the classes {_list(classes)}, say so by an option such "
        f"as {_option({'train': ['…']} | by_split)}{note}"
    )


def _alike(full: Mapping[str, _Folder]) -> bool:
    """Return whether all folders hold the same folders, or nearly: these are the classes then, or parts of classes."""
    inside = [set(folder.inside) for folder in full.values()]
    if len(inside) < 2:
        return False
    shared = set.intersection(*inside)
    return len(shared) > 1 and 2 * len(shared) >= len(set.union(*inside))


def _by_split(splits: Mapping[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for name, split in splits.items():
        found[split].append(name)
    return dict(found)


def _option(by_split: Mapping[str, Sequence[str]]) -> str:
    """Return `data.splits={…}`."""
    shown = []
    for split, names in sorted(by_split.items(), key=lambda item: SPLITS.index(item[0])):
        quoted = [name if _PLAIN.fullmatch(name) else json.dumps(name, ensure_ascii=False) for name in names]
        shown.append(f"{split}: {quoted[0] if len(quoted) == 1 else '[' + ', '.join(quoted) + ']'}")
    return f"data.splits={{{', '.join(shown)}}}"


def _hold(names: Collection[str]) -> str:
    return "hold" if len(names) > 1 else "holds"


def _list(names: Iterable[str]) -> str:
    """Return the first few names, and how many there are where that isn't all."""
    named = sorted(names)
    text = ", ".join(named[:_NAMED])
    return text + (f", … ({len(named)})" if len(named) > _NAMED else "")
