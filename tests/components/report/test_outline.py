"""A page's headings as its table of contents."""

from components.report.outline import Heading, outline


def test_headings_of_the_third_order_get_an_id_and_stand_among_the_parts_of_the_second() -> None:
    page, headings = outline('<h2 id="data">Data</h2><h3>Files &amp; folders</h3><h3 class="x">Äpfel, שמח</h3>')

    assert headings == [
        Heading(
            "Data", "data", [Heading("Files & folders", "data-files-folders"), Heading("Äpfel, שמח", "data-äpfel-שמח")]
        )
    ]
    assert '<h3 id="data-files-folders">Files &amp; folders</h3><h3 id="data-äpfel-שמח" class="x">' in page


def test_no_id_is_given_twice() -> None:
    page, [heading] = outline('<h2 id="a">A</h2><p id="a-b"></p><h3>B</h3><h3>b!</h3><h3 id="own">B</h3>')

    assert [part.id for part in heading.parts] == ["a-b-2", "a-b-3", "own"]
    assert page.count('<h3 id="own">B</h3>') == 1


def test_markup_within_a_heading_is_no_part_of_its_text() -> None:
    assert outline('<h2 id="a"><b>One</b> &lt;two&gt;</h2>')[1] == [Heading("One <two>", "a")]


def test_what_stands_before_every_section_is_left_alone() -> None:
    assert outline("<h3>Alone</h3>") == ("<h3>Alone</h3>", [])
