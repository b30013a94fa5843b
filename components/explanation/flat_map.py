"""A map of images in two dimensions: which of them it shows, and where they lie. The same input gives the same map."""

import hashlib
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

Method = Literal["pca", "umap"]
_FEWEST = 16  # images for UMAP, which looks at fifteen neighbours of each
_DIGITS = 4


def drawn(names: NDArray[np.str_], is_mistake: NDArray[np.bool_], count: int) -> NDArray[np.int64]:
    """Return which images to show, in their order: mistakes up to half of `count`, then others.

    Where there are more than there is room for, digests of their names decide.

    Args:
        names: [N] ids.
        is_mistake: [N].
        count: of images at most.
    """
    order = sorted(range(len(names)), key=lambda index: hashlib.sha256(str(names[index]).encode()).digest())
    mistakes = [index for index in order if is_mistake[index]]
    others = [index for index in order if not is_mistake[index]]
    kept = mistakes[: max(count // 2, count - len(others))]
    return np.array(sorted(kept + others[: count - len(kept)]), np.int64)


def flat_map(features: NDArray[np.float32], method: Method, seed: int) -> dict[str, Any]:
    """Return where images lie in two dimensions.

    Args:
        features: [N, F].
        method: "pca", or "umap" (McInnes et al., arXiv 1802.03426) on cosines; too few images for it are left to PCA.
        seed: of what is random in either.

    Returns:
        `method`, as it was done; `x` and `y`, lists of N; `explained`, the share of the variance that PCA's two axes
        have, None for UMAP.
    """
    if method == "umap" and len(features) >= _FEWEST:
        import umap

        places = umap.UMAP(n_components=2, metric="cosine", random_state=seed, n_jobs=1).fit_transform(features)
        return _map("umap", np.asarray(places), None)
    axes = min(2, *features.shape)
    places = np.zeros((len(features), 2))
    if axes == 0:
        return _map("pca", places, None)
    pca = PCA(axes, svd_solver="randomized", random_state=seed)
    places[:, :axes] = pca.fit_transform(features)
    explained = float(np.nan_to_num(pca.explained_variance_ratio_).sum())
    return _map("pca", places, round(explained, _DIGITS))


def _map(method: Method, places: NDArray[Any], explained: float | None) -> dict[str, Any]:
    x, y = (np.round(places[:, axis].astype(np.float64), _DIGITS).tolist() for axis in (0, 1))
    return {"method": method, "x": x, "y": y, "explained": explained}
