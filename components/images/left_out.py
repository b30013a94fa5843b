"""What lies in a data folder and is surely no data: what systems, a NAS and editors leave, and what this project makes.

Decided by names alone, so that a folder here, a bucket and `datasplit` leave out the same. Pure.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

HIDDEN = "hidden"
WORKDIR = "workdir"
# Lies in each workdir from the moment at which a run takes it, so before there is anything else to know it by.
WORKDIR_MARKER = ".affect-workdir"

# Names in lower case, by kind. A name that might be a class or somebody's images is none of these.
_NAMES = {
    "system": (
        "$recycle.bin",
        "system volume information",
        "thumbs.db",
        "thumbs.db:encryptable",
        "ehthumbs.db",
        "ehthumbs_vista.db",
        "desktop.ini",
        "__macosx",
        "icon\r",
        "network trash folder",
        "temporary items",
        "lost+found",
    ),
    "nas": (
        "@eadir",
        "#recycle",
        "#snapshot",
        "~snapshot",
        "@recycle",
        "@recently-snapshot",
        "@tmp",
        "@sharebin",
    ),
    "editor": ("picasa.ini", "zbthumbnail.info", "pspbrwse.jbf", "descript.ion", "__pycache__"),
}
_KINDS = {name: kind for kind, names in _NAMES.items() for name in names}
_BEGINNINGS = {"synophoto_thumb_": "nas", "synofile_thumb_": "nas", "~$": "editor"}
_ENDINGS = {"@synoeastream": "nas", "@synoresource": "nas", ".lrdata": "editor"}

# What a run writes into its workdir, as `pipeline.local.workdir.Workdir` names it.
_IN_A_WORKDIR = ("artifacts", "serving_model", "report", "checkpoints", "logs", "sample-data", "metadata.db")
_IN_A_MODEL = ("saved_model.pb", "fingerprint.pb", "keras_metadata.pb", "variables", "assets", "assets.extra")


def kind_of(name: str, beside: Collection[str] = ()) -> str | None:
    """Return what kind of leftover a file or folder of that name is; None for what may be data.

    Args:
        name: without its path.
        beside: all names in its folder, by which what this project makes is known. A class folder that somebody used
            as a workdir keeps its images: only what the run put there is left out.
    """
    if name.startswith("."):
        return HIDDEN
    lower = name.lower()
    if kind := _KINDS.get(lower):
        return kind
    for beginning, kind in _BEGINNINGS.items():
        if lower.startswith(beginning):
            return kind
    for ending, kind in _ENDINGS.items():
        if lower.endswith(ending):
            return kind
    is_workdir = WORKDIR_MARKER in beside or ("metadata.db" in beside and "artifacts" in beside)
    if is_workdir and name.startswith(_IN_A_WORKDIR) and (name in _IN_A_WORKDIR or name.startswith("metadata.db-")):
        return WORKDIR
    if name in _IN_A_MODEL and "saved_model.pb" in beside and "variables" in beside:
        return "model"
    return None


def hollow(folders: Iterable[str], files: Iterable[str], kinds: Mapping[str, str]) -> set[str]:
    """Return the folders that hold nothing but what this project made, such as `runs` around the workdir `runs/local`.

    Args:
        folders: ids of all folders that weren't left out.
        files: ids of all that is in them and may be data, unusable things included.
        kinds: of what was left out, by id.
    """
    made = {id_ for id_, kind in kinds.items() if kind in (WORKDIR, "model")}
    marked = {id_ for id_ in kinds if id_.rpartition("/")[2] == WORKDIR_MARKER}
    around = {above for id_ in made | marked for above in _above(id_)}
    kept = {above for id_ in files for above in _above(id_)}
    return {folder for folder in folders if folder in around and folder not in kept}


def sift(files: Iterable[str]) -> tuple[list[str], list[str], dict[str, str]]:
    """Divide the files of a bucket, which has no folders of its own.

    Args:
        files: ids.

    Returns:
        The files that may be data and the folders that they lie in, both sorted, and the kind of what was left out, by
        id: where that is a folder, the folder's.
    """
    names: dict[str, set[str]] = {}
    parted = sorted(file.split("/") for file in files)
    for parts in parted:
        for depth, name in enumerate(parts):
            names.setdefault("/".join(parts[:depth]), set()).add(name)
    kinds: dict[str, str] = {}
    kept: list[str] = []
    for parts in parted:
        for depth, name in enumerate(parts):
            if kind := kind_of(name, names["/".join(parts[:depth])]):
                kinds["/".join(parts[: depth + 1])] = kind
                break
        else:
            kept.append("/".join(parts))
    return sorted(kept), sorted({above for id_ in kept for above in _above(id_)}), kinds


def counted(kinds: Iterable[str]) -> dict[str, int]:
    """Return how many there are of each kind, the most frequent first."""
    counts = Counter(kinds)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _above(id_: str) -> Iterable[str]:
    parts = id_.split("/")
    return ("/".join(parts[:depth]) for depth in range(1, len(parts)))
