"""What a compiled catalogue holds: packs joined, kept on disk by content, large ones quickly."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import get_args

import msgspec
import numpy as np
import pytest

from adjudicator.catalogue import cache as catalogue_cache
from adjudicator.catalogue.check import PackView
from adjudicator.catalogue.section import compile_sections, load_folders
from adjudicator.catalogue.settings import OPTIONS, Rule
from adjudicator.codes import LineNote
from adjudicator.errors import E
from adjudicator.rulefile.faults import Faults
from adjudicator.rulefile.reader import without_none
from adjudicator.rules.bundle import load_bundle
from tests.catalogue import toy
from tests.catalogue.toy import Fee, split

OTHER = PackView("other", "990200", ("990201",), ("community", "tertiary"), (), ())


def source(folder: Path, view: PackView):
    faults = Faults()
    loaded = load_folders([(folder, "catalogue")], view, faults)
    assert not faults, list(map(str, faults))
    return loaded


def other_city(tmp_path: Path) -> Path:
    """Another city of the province with some of the items, another class, and level groups in another order."""
    return toy.write(
        tmp_path / "other",
        item="code,name,list_type,charge_category,flags\nAA00,x,101,09,\nXA01,x,101,09,special_drug\nB001,x,201,01,\n",
        class_="code,area,class,restricted_use,from,to\nAA00,990200,A,,2020-01-01,\nXA01,990200,B,,2020-01-01,\n"
        "B001,990200,A,,2020-01-01,\n",
        ceiling="code,area,level_group,ceiling_yuan,handling,from,to\nB001,990200,tertiary,55,item_self_paid,2020-01-01,\n",
        ratio="code,area,person_class,ratio_class,first_pay_percent,from,to\nXA01,990200,*,*,50,2020-01-01,\n",
        ratio_rule=toy.RATIO_RULE.splitlines()[0] + "\n",
        settings=toy.SETTINGS,
    )


def test_packs_are_joined_and_stay_apart(tmp_path):
    """Each pack's claims see its own tables; an item that only the other pack has is unknown."""
    book = compile_sections([source(toy.write(tmp_path / "a"), toy.VIEW), source(other_city(tmp_path), OTHER)])
    assert book.codes == tuple(sorted(book.codes))
    assert split(book, Fee("XA01", "10"), pack=0).yuan() == ("0.00", "0.00", "0.00", "10.00")
    assert split(book, Fee("XA01", "10"), pack=1).yuan() == ("0.00", "0.00", "5.00", "5.00")
    assert split(book, Fee("XA01", "10"), pack=0).total["special_drug_fen"] == 0
    assert split(book, Fee("XA01", "10"), pack=1).total["special_drug_fen"] == 1_000
    assert split(book, Fee("AA00", "10"), pack=0).claim["error"] == E.UNKNOWN_ITEM
    assert split(book, Fee("T001", "10"), pack=1).claim["error"] == E.UNKNOWN_ITEM
    # A pack alone gives the same result as in company.
    alone = compile_sections([source(tmp_path / "a", toy.VIEW)])
    assert (split(alone, Fee("C001", "12000")).lines == split(book, Fee("C001", "12000"), pack=0).lines).all()


def test_care_in_another_city_of_the_bundle(tmp_path):
    """10.1: class and ceiling of the place of care, whose level groups are found by name; ratio of one's own place."""
    book = compile_sections([source(toy.write(tmp_path / "a"), toy.VIEW), source(other_city(tmp_path), OTHER)])
    there = {"care_county": -1, "care_catalogue": 1 + book.area_group("990201"), "place": 1}
    assert book.group_areas[book.area_group("990201")] == "990200"
    bed = split(book, Fee("B001", "56"), price_level=0, **there)  # group 0 here is "tertiary", group 1 there
    assert LineNote(int(bed.lines[0]["note"])) == LineNote.OVER_CEILING_WHOLE_SELF_PAID
    assert split(book, Fee("B001", "56"), price_level=1, **there).yuan()[3] == "56.00"  # "other" has no ceiling there
    # Class B there, class A here: there is no ratio of the place of insurance, so that of the place of care holds.
    assert split(book, Fee("XA01", "10"), **there).yuan()[2] == "5.00"


def test_look_up_for_people(tmp_path):
    """What `rules show` prints of an item."""
    book = toy.catalogue(tmp_path / "a")
    bed = book.look_up("B001", "990101", 20230101)
    assert (bed.item_class, bed.from_date, bed.restricted_use, bed.verified) == ("A", 20220101, False, True)
    assert bed.ceilings == {
        "tertiary": (60_000_000, "excess_to_patient"), "other": (40_000_000, "excess_to_patient"),
        "community": (30_000_000, "excess_to_patient"), "*": (30_000_000, "excess_to_patient"),
    }  # fmt: skip
    assert book.look_up("N001", "990101", 20230101).ceilings["*"] == (200_000_000, "line_ceiling")
    drug = book.look_up("XL01", "990102", 20220101)
    assert drug.flags == ("special_drug", "negotiated")
    assert drug.ratios[("resident", "cross_region")] == 200_000
    assert book.look_up("XL01", "990102", 20230101) is None
    assert book.look_up("NEVER", "990102", 20230101) is None
    assert book.look_up("XL01", "330100", 20220101) is None


def test_area_groups(tmp_path):
    book = toy.catalogue(tmp_path / "a")
    assert book.group_areas == ("990100", "990101", "990102", "990000")
    for area, group in (("990101", 1), ("990199", 0), ("990100", 0), ("990300", 3), ("990000", 3), ("330100", -1)):
        assert book.area_group(area) == group


def test_an_item_that_only_the_city_lists(tmp_path):
    """It is unknown in the rest of the province, and has no ceiling of the city there."""
    rows = "S001,990100,A,,2020-01-01,\nW001,990100,A,,2020-01-01,\n"
    class_ = toy.CLASS.replace("S001,990000,C,,2020-01-01,\n", "") + rows
    book = toy.catalogue(tmp_path / "a", class_=class_, item=toy.ITEM + "W001,城市项目,201,05,\n")
    outside = {"care_county": -1, "care_catalogue": 1 + book.area_group("990300"), "place": 1}
    for code in ("S001", "W001"):
        assert split(book, Fee(code, "10")).claim["error"] == 0
        assert split(book, Fee(code, "10"), **outside).claim["error"] == E.UNKNOWN_ITEM


def test_hash_follows_the_content(tmp_path):
    """Equal rows in another order give the same hash; a changed price, reading or covered item another one."""
    base = toy.catalogue(tmp_path / "a").hash_parts()
    lines = toy.CLASS.splitlines()
    reordered = "\n".join([lines[0], *reversed(lines[1:])]) + "\n"
    assert toy.catalogue(tmp_path / "b", class_=reordered).hash_parts() == base
    assert toy.catalogue(tmp_path / "c", ceiling=toy.CEILING.replace(",8,", ",8.000001,")).hash_parts() != base
    assert (
        toy.catalogue(tmp_path / "d", settings=toy.SETTINGS + toy.PROGRAMME.replace("XN*", "XL*")).hash_parts() != base
    )
    option = f'[[rule]]\nfrom = 2020-01-01\nrefund = "remainder"\n{toy.HEADER}'
    assert toy.catalogue(tmp_path / "e", settings=toy.SETTINGS + toy.PROGRAMME + option).hash_parts() != base


def test_a_pack_without_a_catalogue_knows_no_item(tmp_path):
    book = compile_sections([load_folders([], toy.VIEW, Faults())])
    assert book.codes == ()
    lines = toy.line_columns(toy.catalogue(tmp_path / "a"), [Fee("XA01", "1")])
    line_out, split_out = toy.columns_out(1, 1)
    claims = toy.claim_columns(lines)
    toy.split_lines(book.rules, toy.LineBatch(claims, lines, line_out, split_out))
    assert claims["error"][0] == E.UNKNOWN_ITEM


def test_every_shipped_pack_compiles(packs):
    """The packs with a catalogue, alone and in company; every class, handling way and kind of item is there."""
    names = sorted(path.parent.parent.name for path in packs.glob("*/catalogue/catalogue.toml"))
    pools = [name for name in names if (packs / name / "pack.toml").exists()]
    assert {"hangzhou", "taohuayuan"} <= set(pools)
    rules = load_bundle(["taohuayuan"]).catalogue.rules
    assert set(rules.versions["item_class"]) == {1, 2, 3}
    assert set(rules.handling[rules.ceiling_e4 < 10**13]) == {0, 1, 2, 3, 4}
    assert rules.covers.any() and (rules.versions["from"] > 20200101).any()


# ------------------------------------------------------------------------------------------------ size


def many_items(count: int) -> dict[str, str]:
    """A catalogue of that many items: a third of each class, dated changes, ceilings by level, ratios by rule."""
    codes = [f"X{'ABCDEGHJLM'[n % 10]}{n % 97:02d}AA{n:013d}" for n in range(count)]
    classes = []
    for number, code in enumerate(codes):
        if number % 5:
            classes.append(f"{code},990000,{'ABC'[number % 3]},,2020-01-01,\n")
        else:
            classes.append(f"{code},990000,{'ABC'[number % 3]},,2020-01-01,2022-12-31\n")
            classes.append(f"{code},990000,B,true,2023-01-01,\n")
    ceilings = [
        f"{code},990100,{level},{10 + number % 500}.{number % 100:02d},excess_to_patient,2020-01-01,\n"
        for number, code in enumerate(codes)
        if number % 6 == 0
        for level in ("tertiary", "*")
    ]
    return {
        "item": toy.ITEM.splitlines()[0] + "\n" + "".join(f"{code},一项,101,09,\n" for code in codes),
        "class_": toy.CLASS.splitlines()[0] + "\n" + "".join(classes),
        "ceiling": toy.CEILING.splitlines()[0] + "\n" + "".join(ceilings),
        "ratio": toy.RATIO.splitlines()[0] + "\n" + f"{codes[1]},990000,employee,*,7,2020-01-01,\n",
        "ratio_rule": toy.RATIO_RULE,
        "settings": toy.SETTINGS,
    }


@pytest.mark.compiled
def test_300_000_items(tmp_path, monkeypatch):
    """They compile in seconds, are read back from the compiled file, and give the same answers as a short list."""
    monkeypatch.setenv("ADJUDICATOR_CACHE_DIR", str(tmp_path / "cache"))
    folder = toy.write(tmp_path / "large", **many_items(300_000))
    began = time.perf_counter()
    large = compile_sections([source(folder, toy.VIEW)])
    compiled = time.perf_counter()
    again = compile_sections([source(folder, toy.VIEW)])
    read = time.perf_counter()
    print(f"300,000 items: compiled in {compiled - began:.1f} s, read back in {read - compiled:.2f} s")
    assert len(large.codes) == 300_000
    assert [path.suffix for path in (tmp_path / "cache").iterdir()] == [".npz"]
    assert again.hash_parts() == large.hash_parts()
    short = toy.catalogue(tmp_path / "short", **many_items(60))
    for code in short.codes:
        for date in (20221231, 20230101):
            fee = Fee(code, "123.45", "3", "41.15", date=date)
            assert (split(large, fee).lines == split(short, fee).lines).all()


def test_a_damaged_or_unwritable_cache_costs_nothing_but_time(tmp_path, monkeypatch):
    monkeypatch.setattr(catalogue_cache, "SMALLEST_ITEMS", 1)
    monkeypatch.setenv("ADJUDICATOR_CACHE_DIR", str(tmp_path / "cache"))
    folder = toy.write(tmp_path / "book")
    whole = compile_sections([source(folder, toy.VIEW)])
    (kept,) = (tmp_path / "cache").iterdir()
    for content in (b"", b"PK\x03\x04rubbish", kept.read_bytes()[:1000]):
        kept.write_bytes(content)
        assert compile_sections([source(folder, toy.VIEW)]).hash_parts() == whole.hash_parts()
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ADJUDICATOR_CACHE_DIR", str(tmp_path / "file" / "cache"))
    assert compile_sections([source(folder, toy.VIEW)]).hash_parts() == whole.hash_parts()


def test_the_cache_follows_the_content(tmp_path, monkeypatch):
    """A changed row, header or pack is never answered from an older file."""
    monkeypatch.setattr(catalogue_cache, "SMALLEST_ITEMS", 1)
    monkeypatch.setenv("ADJUDICATOR_CACHE_DIR", str(tmp_path / "cache"))
    folder = toy.write(tmp_path / "book")
    assert split(compile_sections([source(folder, toy.VIEW)]), Fee("P001", "10")).yuan()[1] == "2.00"
    toy.write(folder, ceiling=toy.CEILING.replace(",8,", ",7,"))
    assert split(compile_sections([source(folder, toy.VIEW)]), Fee("P001", "10")).yuan()[1] == "3.00"
    toy.write(folder, settings=toy.SETTINGS.replace("official", "reprint") + toy.PROGRAMME)
    assert split(compile_sections([source(folder, toy.VIEW)]), Fee("XA01", "10")).total["unverified"] == 1
    moved = replace(toy.VIEW, level_groups=("community", "other", "tertiary"))
    assert split(compile_sections([source(folder, moved)]), Fee("B001", "70"), price_level=2).yuan()[1] == "10.00"
    assert len(os.listdir(tmp_path / "cache")) == 4


@pytest.mark.parametrize("area", ["000000", "990000", "990100", "990101"])
def test_the_most_specific_area_wins(tmp_path, area):
    """Nation, province, city, county: each goes before the wider ones, and only there and then."""
    order = ["000000", "990000", "990100", "990101"]
    ceilings = "".join(
        f"XA01,{place},*,{10 - 2 * number},excess_to_patient,2021-01-01,2021-12-31\n"
        for number, place in enumerate(order[: order.index(area) + 1])
    )
    book = toy.catalogue(tmp_path / "book", ceiling=toy.CEILING + ceilings)
    over = {"000000": "1.00", "990000": "3.00", "990100": "5.00", "990101": "7.00"}[area]
    assert split(book, Fee("XA01", "11", date=20210601), county=0).yuan()[1] == over
    elsewhere = "5.00" if area == "990101" else over
    assert split(book, Fee("XA01", "11", date=20210601), county=1).yuan()[1] == elsewhere
    assert split(book, Fee("XA01", "11", date=20220101), county=0).yuan()[1] == "0.00"


def test_versions_of_an_item_do_not_overlap(tmp_path):
    """The compiled versions of each item follow each other, newest first, the last one marked."""
    rules = toy.catalogue(tmp_path / "a").rules
    for first in np.unique(rules.first[rules.first >= 0]):
        row = int(first)
        while not rules.versions[row]["flags"] & 16:
            assert rules.versions[row + 1]["to"] < rules.versions[row]["from"]
            row += 1
        assert rules.versions[row]["from"] <= rules.versions[row]["to"]


def test_the_options_are_those_of_a_rule_block():
    choices = {field.name: set(get_args(without_none(field.type))) for field in msgspec.structs.fields(Rule)}
    assert {name: set(words) for name, words in OPTIONS.items()} | {"source": set(), "note": set()} == choices
