"""The reference that travels with a model, and which images are drawn."""

import random
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from drift_samples import about, sample

from components.formats.drift_reference import NAME, read_reference, write_reference
from components.formats.drift_sample import draw, numbered
from components.formats.version import NewerFormatError


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    written, facts = sample(0, 40, per_group=2), about(group_regex=r"^(g\d+)", images=90)

    write_reference(written, facts, tmp_path)
    found, found_facts = read_reference(tmp_path)

    assert found_facts == facts
    assert found.ids == written.ids
    for name in written._fields[1:]:
        np.testing.assert_array_equal(getattr(found, name), getattr(written, name))


def test_a_reference_of_2000_images_takes_two_bytes_for_each_number_of_an_embedding(tmp_path: Path) -> None:
    images = sample(0, 2000)
    write_reference(images._replace(embeddings=np.zeros((2000, 512), np.float16)), about(), tmp_path)

    assert 2000 * 512 * 2 < (tmp_path / NAME).stat().st_size < 2.2 * 2**20


def test_a_damaged_reference_or_one_of_a_later_format_is_refused(tmp_path: Path) -> None:
    write_reference(sample(0, 40), about(), tmp_path)
    table = pq.read_table(tmp_path / NAME)
    metadata = {**table.schema.metadata, b"format_version": b"9"}
    pq.write_table(table.replace_schema_metadata(metadata), tmp_path / NAME)
    with pytest.raises(NewerFormatError, match=NAME):
        read_reference(tmp_path)

    (tmp_path / NAME).write_bytes(b"PAR1 and nothing else")
    with pytest.raises(ValueError, match=f"{NAME} is damaged"):
        read_reference(tmp_path)


def test_which_names_are_drawn_depends_on_the_seed_and_not_on_their_order() -> None:
    names = [f"{number}.jpg" for number in range(500)]
    shuffled = random.Random(0).sample(names, 500)

    drawn = [names[place] for place in draw(names, 50)]

    assert len(set(drawn)) == 50
    assert [shuffled[place] for place in draw(shuffled, 50)] == drawn
    assert [names[place] for place in draw(names, 50, seed=1)] != drawn
    assert sorted(names) == [names[place] for place in draw(names, 1000)]


def test_names_without_a_key_are_groups_of_their_own() -> None:
    first, second, third, fourth, fifth = numbered(["a", None, "b", None, "a"])

    assert first == fifth
    assert len({first, second, third, fourth}) == 4
