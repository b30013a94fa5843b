"""Registers pushed models, without TFX."""

from pathlib import Path
from typing import Any

from components.formats.documents import REGISTERED
from components.formats.pushed_models import Version, list_versions, read_metrics
from components.formats.saved_model import model_digest
from components.formats.scores import named_scores
from components.plain_executor import PlainExecutor
from components.registration.access import find_access
from components.registration.register import Entry, register
from components.registration.rest import Registry, RegistryError
from components.tools.passwords import masked


class Executor(PlainExecutor):
    """Registers all that stands at the destination: also what an earlier run pushed while the registry was away."""

    def Do(
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Register what isn't yet.

        Args:
            input_dict: `pushed_model`; where nothing was pushed, what earlier runs did is registered.
            output_dict: `registered`, with the properties `registered` (how many were new) and `model`.
            exec_properties: `destination`, `registry` and `name`.

        Raises:
            RegistryError: the registry is away, or refuses.
        """
        [pushed], [registered] = input_dict["pushed_model"], output_dict["registered"]
        url, name = exec_properties["registry"], exec_properties["name"]
        standing = [version for version in list_versions(exec_properties["destination"]) if version.origin is not None]
        try:
            entries = [_entry(version) for version in standing]
            new = register(Registry(url, find_access()), name, entries) if entries else []
        except RegistryError as error:
            where = pushed.get_string_custom_property("pushed_destination")
            what = f"the model was pushed to {where}, but isn't" if where else "models that were pushed before aren't"
            raise RegistryError(
                f"{what} registered, which the next run makes up for without training again: {error}"
            ) from None
        Path(registered.uri).mkdir(parents=True, exist_ok=True)
        found = {"registry": masked(url), "model": name, "new": new, "versions": len(standing)}
        REGISTERED.write(found, registered.uri)
        registered.set_int_custom_property("registered", len(new))
        registered.set_int_custom_property("versions", len(standing))
        registered.set_string_custom_property("model", name)


def _entry(version: Version) -> Entry:
    """Return what the registry is told of a version; one that an earlier revision pushed doesn't say its digest."""
    local = "://" not in version.uri
    digest = version.digest or (model_digest(version.uri) if local else "")
    properties: dict[str, str | float] = {"labels": ", ".join(version.labels)}
    if version.origin is not None:
        properties |= {"recipe": version.origin.recipe, "data_digest": version.origin.data_digest}
    uri = Path(version.uri).absolute().as_uri() if local else masked(version.uri)
    return Entry(str(version.number), uri, digest, properties | named_scores(read_metrics(version.uri)))
