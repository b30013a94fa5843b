"""The picture of the run's components: in layers, and legible in a real browser."""

from pathlib import Path

import pytest
from browser import needs_browser, show
from selenium import webdriver
from selenium.webdriver.common.by import By

from components.report.layers import arrange
from components.report.lineage_chart import lineage_chart

_FOLDS = [f"FoldTrainer.fold-{number}" for number in range(1, 6)]
GRAPH = {
    "ImageIngest": [],
    "SplitBalanceAugment": ["ImageIngest"],
    "TFRecordConverter": ["SplitBalanceAugment"],
    "StatisticsGen": ["TFRecordConverter"],
    "ImageSchema": ["TFRecordConverter"],
    "ExampleValidator": ["ImageSchema", "StatisticsGen"],
    "DistributionValidator": ["StatisticsGen"],
    "DataGate": ["DistributionValidator", "ExampleValidator", "SplitBalanceAugment"],
    "Tuner": ["DataGate", "TFRecordConverter"],
    "Trainer": ["DataGate", "TFRecordConverter", "Tuner"],
    **{fold: ["DataGate", "TFRecordConverter"] for fold in _FOLDS},
    "CrossFitEnsembleWMWMWM": [*_FOLDS, "Trainer"],
    "Abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz": ["SplitBalanceAugment"],
    "BaselineFinder": ["SplitBalanceAugment", "TFRecordConverter"],
    "Evaluator": ["BaselineFinder", "CrossFitEnsembleWMWMWM", "TFRecordConverter", "Trainer"],
    "PredictionAnalysis": ["Evaluator", "SplitBalanceAugment", "TFRecordConverter", "Trainer"],
    "Pusher": ["Evaluator", "PredictionAnalysis", "Trainer"],
    "WWWWWWWWWW": ["Pusher"],
}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "lineage.html"
    style = Path("components/report/page/charts.css").read_text("utf-8")
    chart = lineage_chart("The run", GRAPH)
    path.write_text(f"<!doctype html><meta charset=utf-8><title>Lineage</title><style>{style}</style>{chart}", "utf-8")
    return path


@needs_browser
@pytest.mark.parametrize(("width", "drawing"), [(1400, "across"), (390, "down")])
def test_each_label_fits_its_box_and_no_box_lies_on_another(
    browser: webdriver.Chrome, page: Path, width: int, drawing: str
) -> None:
    show(browser, page, width)

    assert [svg.get_attribute("class") for svg in shown(browser)] == [drawing]
    nodes = browser.execute_script(
        """return [...arguments[0].querySelectorAll("a")].map(a => [...a.children].map(part => {
             const box = part.getBBox();
             return [box.x, box.y, box.x + box.width, box.y + box.height];
           }))""",
        *shown(browser),
    )
    assert len(nodes) == len(GRAPH)
    for box, *lines in nodes:
        for line in lines:
            assert box[0] < line[0] < line[2] < box[2]
            assert box[1] < line[1] < line[3] < box[3]
    boxes = [node[0] for node in nodes]
    for index, one in enumerate(boxes):
        for other in boxes[:index]:
            assert one[2] < other[0] or other[2] < one[0] or one[3] < other[1] or other[3] < one[1]


@needs_browser
@pytest.mark.parametrize("width", [1400, 390])
def test_no_line_runs_through_a_box(browser: webdriver.Chrome, page: Path, width: int) -> None:
    show(browser, page, width)

    hits = browser.execute_script(
        """const inside = [];
           for (const path of arguments[0].querySelectorAll(".edge"))
             for (let along = 0; along < path.getTotalLength(); along += 5) {
               const at = path.getPointAtLength(along);
               for (const box of arguments[0].querySelectorAll(".node")) {
                 const { x, y, width, height } = box.getBBox();
                 if (at.x > x + 1 && at.x < x + width - 1 && at.y > y + 1 && at.y < y + height - 1)
                   inside.push(box.parentNode.getAttribute("aria-label"));
               }
             }
           return inside""",
        *shown(browser),
    )

    assert hits == []


@needs_browser
def test_a_component_is_a_link_by_its_whole_name(browser: webdriver.Chrome, page: Path) -> None:
    show(browser, page, 1400)

    [drawing] = shown(browser)
    links = drawing.find_elements(By.TAG_NAME, "a")
    assert [link.get_attribute("aria-label") for link in links] == list(GRAPH)
    assert [link.accessible_name for link in links][:2] == ["ImageIngest", "SplitBalanceAugment"]


def test_every_edge_is_a_way_through_the_layers() -> None:
    graph = arrange(GRAPH, lambda node, lane: 10.0)

    ways = set(graph.lines)
    assert all(second[1] == first[1] + 1 for first, second in ways)
    for node, sources in GRAPH.items():
        for source in sources:
            lane = [(source, layer) for layer in range(graph.own[source], graph.own[node])]
            assert ways.issuperset(zip(lane, [*lane[1:], (node, graph.own[node])], strict=True))
    to_gate = {first[0] for first, second in ways if second == ("DataGate", graph.own["DataGate"])}
    assert to_gate == set(GRAPH["DataGate"])


def test_a_layer_keeps_the_room_of_each_vertex() -> None:
    graph = arrange(GRAPH, lambda node, lane: 4.0 if lane else 20.0)

    for layer in graph.layers:
        ends = 0.0
        for vertex in layer:
            half = 10.0 if graph.own[vertex[0]] == vertex[1] else 2.0
            assert graph.places[vertex] - half >= ends - 1e-9
            ends = graph.places[vertex] + half
        assert ends <= graph.length + 1e-9


def test_two_rows_that_are_listed_crosswise_are_drawn_without_a_crossing() -> None:
    graph = arrange({"a": [], "b": [], "for-b": ["b"], "for-a": ["a"]}, lambda node, lane: 10.0)

    [first, second] = graph.layers
    assert [name for name, _ in second] == [f"for-{name}" for name, _ in first]


def test_a_run_without_components_has_an_empty_picture() -> None:
    assert "<a" not in lineage_chart("The run", {})


def shown(browser: webdriver.Chrome) -> list[webdriver.remote.webelement.WebElement]:
    return [svg for svg in browser.find_elements(By.CSS_SELECTOR, ".lineage svg") if svg.is_displayed()]
