"""The page: read as a browser reads it, with what it says held against the take."""

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from au_mocap import calibration, channels, html_report, metrics
from au_mocap.calibration import Curves, Settings
from au_mocap.edits import Edits, Fix, Override
from au_mocap.errors import OutputError, TakeError
from au_mocap.html_report import Performance, figures, lines, markup, strip
from au_mocap.html_report.performance import facts
from au_mocap.regressors import Regressor
from au_mocap.take import Take
from tests.core.takes import made_take


class Page(HTMLParser):
    """What is on a page: tags with their attributes, text by section, scripts."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.scripts: list[str] = []
        self._inside = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts.append(data)
        elif self._inside != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        """Attributes of all elements of a kind whose attributes hold the wanted ones."""
        return [found for name, found in self.tags if name == tag and wanted.items() <= found.items()]

    @property
    def data(self) -> dict[str, Any]:
        return json.loads(self.scripts[0])


def acted(take: Take, **curves: np.ndarray) -> Performance:
    """A take with curves of a few channels and no others."""
    values = np.zeros((len(take), 58), np.float32)
    for channel_id, curve in curves.items():
        values[:, channels.INDEX[channel_id]] = curve
    values[~take.found] = np.nan
    rotation, position = take.head_rotation.astype(np.float64), take.head_position.astype(np.float64)
    neutral = calibration.NeutralChoice((), (), 0.0, None)
    return Performance("actor", take, Curves(take.time_s, values, rotation, position, neutral), Settings())


@pytest.fixture(scope="module")
def shown(single_face_take: Take, regressor: Regressor) -> Performance:
    settings = Settings()
    return Performance("smile", single_face_take, calibration.curves(single_face_take, settings, regressor), settings)


@pytest.fixture(scope="module")
def page(shown: Performance) -> Page:
    text, notes = html_report.page(shown)
    assert notes == []
    return Page(text)


class TestPage:
    def test_nothing_is_fetched_and_the_browser_is_told_so(self, page: Page) -> None:
        policy = page.all("meta", **{"http-equiv": "Content-Security-Policy"})[0]["content"]
        assert policy is not None
        digest = base64.b64encode(hashlib.sha256(page.scripts[1].encode()).digest()).decode()
        assert f"script-src 'sha256-{digest}';" in policy
        assert policy.startswith("default-src 'none'; img-src data:;")
        sources = [found.get(name) for _, found in page.tags for name in ("src", "href", "action", "srcset", "data")]
        assert all(each is None or each.startswith(("data:image/", "#")) for each in sources)
        assert not page.all("link")
        assert not page.all("iframe")
        assert not [name for _, found in page.tags for name in found if name.startswith("on")], "no inline handlers"

    def test_facts_of_take_and_settings(self, page: Page, shown: Performance) -> None:
        for part in (
            "single_face.mp4, 640 x 360, 30 fps",
            "0:02.4, 72 frames",
            "geometry 1",
            "onnx",
            "found automatically",
        ):
            assert part in page.text, part
        assert f"confidence {shown.curves.neutral.confidence:.2f}" in page.text

    def test_facts_say_what_was_done_by_hand(self, shown: Performance) -> None:
        drawn = [Override("jaw_drop", start, start + 1, np.array([start]), np.array([0.5])) for start in (0.0, 2.0)]
        edits = Edits((Fix("lip_pucker", 1.0, 0.5),), tuple(drawn))
        edited = replace(shown, settings=replace(shown.settings, edits=edits))
        assert dict(facts(edited))["By hand"] == "1 value fixed, 2 stretches drawn in 2 channels"
        assert "By hand" not in dict(facts(shown))

    def test_facts_say_that_ranges_were_set(self, shown: Performance) -> None:
        told = dict(facts(replace(shown, settings=Settings(gains={"jaw_drop": 2.0}))))
        assert told["Ranges"] == "1 channel adjusted"
        assert "Ranges" not in dict(facts(shown))

    def test_pictures_are_photographs_at_the_peaks(self, page: Page, shown: Performance) -> None:
        times = [float(str(found["data-time"])) for found in page.all("button") if "data-time" in found]
        images = [str(found["src"]) for found in page.all("img") if str(found["src"]).startswith("data:image/jpeg")]
        assert len(images) == len(times) >= 3
        peaks = figures.moments(shown.curves.values, shown.curves.time_s, shown.take.found, 12)
        assert times == pytest.approx([shown.curves.time_s[index] for index, _ in peaks], abs=1e-3)
        coded = np.frombuffer(base64.b64decode(images[-1].partition(",")[2]), np.uint8)
        picture = cv2.imdecode(coded, cv2.IMREAD_COLOR)
        assert picture.shape == (220, 220, 3)
        assert picture.std() > 20

    def test_script_reads_what_the_curves_hold(self, page: Page, shown: Performance) -> None:
        data = page.data
        times = np.frombuffer(base64.b64decode(data["times"]), "<f4")
        np.testing.assert_allclose(times + data["start"], shown.curves.time_s, atol=1e-4)
        row = next(k for k, each in enumerate(self.labels(page)) if each == "Lip corner pull")
        coded = np.frombuffer(base64.b64decode(data["rows"][row]["series"][0]), np.uint8)
        curve = shown.curves.values[:, channels.INDEX["lip_corner_pull_L"]]
        np.testing.assert_allclose(coded / 250, curve, atol=0.003)
        assert [each["kind"] for each in data["rows"]].count("angle") == 3

    @staticmethod
    def labels(page: Page) -> list[str]:
        return [str(found["aria-label"]).partition(":")[0] for found in page.all("svg", role="img")]

    def test_sides_share_a_row_and_are_told_apart(self, page: Page) -> None:
        labels = self.labels(page)
        assert labels[0] == "Confidence"
        assert labels.count("Lip corner pull") == 1
        assert labels[-3:] == ["Head turn", "Head nod", "Head tilt"]
        assert len(page.all("path", **{"class": "curve left"})) == len(page.all("path", **{"class": "curve right"})) > 3
        assert "the actor's left" in page.text

    def test_a_take_without_its_video_says_so(self, shown: Performance, tmp_path: Path) -> None:
        source = {**shown.take.meta["source"], "path": str(tmp_path / "gone.mp4")}
        for meta, reason in (
            ({**shown.take.meta, "source": source}, "gone.mp4"),
            ({**shown.take.meta, "frame_size": [100, 100]}, "not the video that was analysed"),
            ({}, "does not say where its video lies"),
        ):
            text, notes = html_report.page(replace(shown, take=replace(shown.take, meta=meta)))
            assert len(notes) == 1
            assert reason in notes[0]
            assert "no pictures of the video" in Page(text).text

    def test_one_frame_and_no_face_at_all(self) -> None:
        one = acted(made_take(frames=1, faceless=(), meta={}), jaw_drop=np.array([0.5]))
        assert "Jaw drop" in Page(html_report.page(one)[0]).text
        nobody = acted(made_take(frames=4, faceless=(0, 1, 2, 3), meta={}))
        text = Page(html_report.page(nobody)[0]).text
        assert "No channel is present anywhere" in text
        assert "0 %; 1 gap" in text

    def test_nothing_is_left_where_it_cannot_be_written(self, shown: Performance, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(OutputError):
            html_report.write(shown, tmp_path / "file" / "a.html")
        assert [path.name for path in tmp_path.iterdir()] == ["file"]


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</title></style><svg onload=alert(1)>",
    "=HYPERLINK('http://example.com','x')",
    " +cmd|' /C calc'!A0",
    "@SUM(A1)",
    "name\u202egnp.exe\x00\ud800",
]


class TestHostileText:
    @pytest.mark.parametrize("name", HOSTILE)
    def test_names_stay_text(self, name: str, tmp_path: Path) -> None:
        meta = {
            "source": {"name": name, "rate_hz": name},
            "frame_size": [name, name],
            "regressor": {"name": name, "version": name},
            "tracker": {"name": name, "version": 1},
            "made_by": name,
            "actor": {"number": name, "of": name},
        }
        take = made_take(meta=meta)
        clean = acted(made_take(meta={"actor": {}}), jaw_drop=np.full(6, 0.5))
        hostile = replace(acted(take, jaw_drop=np.full(6, 0.5)), name=name)
        html_report.write(hostile, tmp_path / "a.html")
        page, usual = Page((tmp_path / "a.html").read_text(encoding="utf-8")), Page(html_report.page(clean)[0])
        assert [tag for tag, _ in page.tags] == [tag for tag, _ in usual.tags], "no element more or less"
        assert not [key for _, found in page.tags for key in found if key.startswith("on")]
        assert not [word for word in page.words if word.strip().startswith(("=", "+cmd", "@"))]
        assert json.loads(page.scripts[0])["first"] == 0
        again = Page(html_report.page(hostile, against=hostile)[0])
        assert not again.all("img", src="x")
        assert len(again.scripts) == 2

    def test_only_what_needs_it_is_changed(self) -> None:
        assert markup.text("Müller & 演员 1.mp4") == "Müller &amp; 演员 1.mp4"
        assert markup.text("=1") == "&#x27;=1"
        assert markup.text(-3) == "&#x27;-3"


@pytest.fixture(scope="module")
def pair() -> tuple[Performance, Performance]:
    """Two takes of one clip, alike in the jaw."""
    random = np.random.default_rng(3)
    curve = random.uniform(0.0, 1.0, 60)
    take, other = made_take(60, faceless=(5,)), made_take(60, faceless=(9, 10))
    noisy = np.clip(curve + random.normal(0, 0.1, 60), 0, 1)
    return acted(take, jaw_drop=curve), replace(acted(other, jaw_drop=noisy, lip_press_L=curve), name="other")


class TestComparison:
    def test_agreement_is_the_metrics_over_frames_that_both_have(self, pair: tuple[Performance, Performance]) -> None:
        page = Page(html_report.page(pair[0], against=pair[1])[0])
        both = pair[0].take.found & pair[1].take.found
        column = [channels.INDEX["jaw_drop"]]
        one, two = (np.asarray(each.curves.values, np.float64)[both][:, column] for each in pair)
        row = re.search(r"Jaw drop ([\d.]+) ([\d.]+) ([\d.]+) Lip press, left – ([\d.-]+) ([\d.]+)", page.text)  # noqa: RUF001
        assert row is not None, page.text[-600:]
        figures_ = [float(each) for each in row.groups()[:3]]
        expected = [metrics.pcc(one, two)[0], metrics.icc(one, two)[0], metrics.mae(one, two)[0]]
        assert figures_ == pytest.approx(expected, abs=0.006)
        assert (
            len(page.all("path", **{"class": "curve first"})) == len(page.all("path", **{"class": "curve second"})) == 6
        )

    @pytest.mark.parametrize(
        ("change", "problem"),
        [
            ({"meta": {"source": {"name": "b.mp4", "sha256": "b" * 64}}}, "different clips, a.mp4 and b.mp4"),
            ({"frames": 50}, r"different frames \(0 to 59 and 0 to 49\)"),
            ({"meta": {"source": {"name": "a.mp4"}, "first_frame": 7}}, r"\(0 to 59 and 7 to 66\)"),
            ({"time_s": np.arange(60) / 30}, "at different times"),
        ],
    )
    def test_takes_that_cannot_be_compared(self, change: dict[str, Any], problem: str) -> None:
        own = made_take(60, meta={"source": {"name": "a.mp4", "sha256": "a" * 64}, "first_frame": 0})
        other = made_take(**{"frames": 60, **change})
        with pytest.raises(TakeError, match=problem):
            html_report.page(acted(own), against=acted(other))

    def test_no_frame_in_common(self) -> None:
        takes = [acted(made_take(4, faceless=gone)) for gone in ((0, 1), (2, 3))]
        assert "nothing to compare" in Page(html_report.page(takes[0], against=takes[1])[0]).text


class TestFigures:
    def test_levels_are_the_letters(self) -> None:
        values = np.concatenate([np.linspace(0, 1, 201), [np.nan, 0.1, 0.2, 0.4]]).astype(np.float32)
        letters = ["" if np.isnan(value) else channels.intensity_letter(float(value)) for value in values]
        assert [" ABCDE"[level].strip() for level in figures.levels(values)] == letters

    def test_shares_count_frames_with_a_face(self) -> None:
        take = made_take(10, faceless=(0, 1))
        curve = np.array([0, 0, 0.05, 0.15, 0.25, 0.45, 0.65, 0.85, 0.95, 0.09])
        found = figures.figures(acted(take, jaw_drop=curve).curves.values)["jaw_drop"]
        assert found.letters == pytest.approx((1 / 8, 1 / 8, 1 / 8, 1 / 8, 2 / 8))
        assert found.present == pytest.approx(6 / 8)
        assert (found.highest, found.mean) == pytest.approx((0.95, curve[2:].mean()))

    def test_moments_are_peaks_apart_from_each_other(self) -> None:
        time_s = np.arange(100) / 25
        values = np.zeros((100, 58), np.float32)
        values[20, channels.INDEX["jaw_drop"]] = 0.9
        values[21, channels.INDEX["lip_funnel"]] = 0.8  # too near, and no second peak
        values[60, channels.INDEX["eye_close_L"]] = 0.7
        values[80, channels.INDEX["eye_close_R"]] = 0.6  # the other side of it
        values[90, channels.INDEX["tongue_out"]] = 0.95
        usable = np.arange(100) != 90
        assert figures.moments(values, time_s, usable, 4) == [(20, "jaw_drop"), (60, "eye_close_L")]

    def test_drawings_keep_extremes_and_gaps(self) -> None:
        count = 18_000
        heights = np.full(count, 0.5)
        heights[7000], heights[12_000] = 1.0, 0.0
        heights[3000:3600] = np.nan
        x, y = lines.decimate(np.arange(count) / 30, heights)
        assert len(x) <= 2 * lines.WIDTH
        assert (np.nanmin(y), np.nanmax(y)) == (0.0, 100.0)
        assert np.isnan(y).any()
        drawn = lines.path(np.arange(count) / 30, heights, filled=True)
        assert drawn.count("M") == 2, "interrupted once"
        assert lines.bands(np.arange(10) / 10.0, [(0, 2), (9, 10)]).count("M") == 2

    @pytest.mark.parametrize(("span", "step"), [((0.0, 2.4), 0.5), ((0.0, 600.0), 120.0), ((3.0, 3.05), 0.1)])
    def test_ticks_are_round_and_few(self, span: tuple[float, float], step: float) -> None:
        found = lines.ticks(*span)
        assert len(found) <= 10
        assert all(span[0] - 1e-6 <= each <= span[1] + 1e-6 for each in found)
        assert all(abs(each / step - round(each / step)) < 1e-6 for each in found)

    def test_strip_shows_the_strongest_of_each_column(self) -> None:
        values = np.zeros((5000, 2))
        values[2500, 1] = 0.95
        coded = strip.picture(np.arange(5000) / 30, values).partition(",")[2]
        picture = cv2.imdecode(np.frombuffer(base64.b64decode(coded), np.uint8), cv2.IMREAD_UNCHANGED)
        assert picture.shape == (2 * strip.ROW_PX, lines.WIDTH, 4)
        assert picture[: strip.ROW_PX, :, 3].max() == 0
        assert np.flatnonzero(picture[strip.ROW_PX, :, 3] == 255).tolist() == [500]

    @pytest.mark.parametrize(
        ("time_s", "text"), [(0.0, "0:00.0"), (59.96, "1:00.0"), (3725.5, "1:02:05.5"), (-1.5, "-0:01.5")]
    )
    def test_clock(self, time_s: float, text: str) -> None:
        assert markup.clock(time_s) == text


def test_ten_minutes_stay_small(shown: Performance) -> None:
    """Only the page is looked at, without pictures; seconds are for the clock of a bench."""
    index = np.arange(18_000) % len(shown.take)
    arrays = {name: getattr(shown.take, name)[index] for name in ("found", "confidence", "values", "head_rotation")}
    arrays |= {name: getattr(shown.take, name)[index] for name in ("head_position", "crop", "landmarks", "embedding")}
    take = replace(shown.take, time_s=np.arange(18_000) / 30, meta={}, **arrays)
    curves = Curves(
        take.time_s, shown.curves.values[index], shown.curves.head_rotation[index], shown.curves.head_position[index],
        shown.curves.neutral,
    )  # fmt: skip
    long = replace(shown, take=take, curves=curves)
    assert len(html_report.page(long, against=long)[0]) < 10e6
