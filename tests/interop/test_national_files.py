"""What hospital systems send wrongly in files of the national interface: one row for each kind, and no traceback."""

# ruff: noqa: E501 (one line a mistake)
from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from adjudicator.cli.main import main
from adjudicator.interop.national import settle_message
from tests.interop.test_national import message

NAME, PERSON = "张三丰", "110101199001011234"


class Mistake(NamedTuple):
    """One wrong file: how it is made of a right request, and what ``err_msg`` must say."""

    name: str
    make: Callable[[dict[str, Any]], bytes | None]
    field: str
    en: str
    zh: str


def _in(path: str, change: Callable[[Any], Any]) -> Callable[[dict[str, Any]], None]:
    """Change the value at a path such as ``input.feedetail.0.pric``."""

    def make(request: dict[str, Any]) -> None:
        *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
        node: Any = request
        for step in way:
            node = node[step]
        node[last] = change(node[last] if isinstance(last, int) else node.get(last))

    return make


def _put(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return _in(path, lambda _: value)


def _without(path: str) -> Callable[[dict[str, Any]], None]:
    def make(request: dict[str, Any]) -> None:
        *way, last = path.split(".")
        node = request
        for step in way:
            node = node[step]
        del node[last]

    return make


def _bytes(change: Callable[[str], bytes]) -> Callable[[dict[str, Any]], bytes]:
    return lambda request: change(json.dumps(request, ensure_ascii=False))


def _named(encoding: str) -> Callable[[dict[str, Any]], bytes]:
    """A request with a person's name, in an encoding that the interface does not have."""

    def make(request: dict[str, Any]) -> bytes:
        request["input"]["baseinfo"]["psn_name"] = NAME
        return json.dumps(request, ensure_ascii=False).encode(encoding)

    return make


NUMBER, DECIMALS = "not a whole number", "not a plain number of at most"
MISTAKES = [
    # one object where a list is meant, and the other way round
    Mistake("one line not in a list", _in("input.feedetail", lambda node: node[0]), "input.feedetail", "where a list is meant", "此处应为列表"),
    Mistake("one diagnosis not in a list", _in("input.diseinfo", lambda node: node[0]), "input.diseinfo", "where a list is meant", "此处应为列表"),
    Mistake("one procedure not in a list", _put("input.oprninfo", {"oprn_oprt_code": "47.0901"}), "input.oprninfo", "where a list is meant", "此处应为列表"),
    Mistake("one enrolment not in a list", _in("input.insuinfo", lambda node: node[1]), "input.insuinfo", "where a list is meant", "此处应为列表"),
    Mistake("one category not in a list", _put("input.idetinfo", {"psn_idet_type": "low_income"}), "input.idetinfo", "where a list is meant", "此处应为列表"),
    Mistake("lines as a text", _put("input.feedetail", "F1"), "input.feedetail", "not a list of objects", "不是对象列表"),
    Mistake("two persons", _in("input.baseinfo", lambda node: [node, node]), "input.baseinfo", "where one object is meant", "此处应为一个对象"),
    Mistake("a stay as a text", _put("input.mdtrtinfo", "2024-06-01"), "input.mdtrtinfo", "not an object", "不是对象"),
    # null
    Mistake("a null line", _in("input.feedetail", lambda node: [*node, None]), "input.feedetail[1]", "is null", "为空值"),
    Mistake("a null diagnosis", _put("input.diseinfo", [None]), "input.diseinfo[0]", "is null", "为空值"),
    Mistake("a number for a line", _put("input.feedetail", [7]), "input.feedetail[0]", "not an object", "非对象"),
    Mistake("a null code", _put("input.diseinfo", [{"diag_code": None}]), "input.diseinfo[0].diag_code", "is missing", "缺失"),
    Mistake("a null total", _put("input.data.medfee_sumamt", None), "input.data.medfee_sumamt", "do not add up", "不一致"),
    Mistake("a null fee date", _put("input.feedetail.0.fee_ocur_time", None), "input.feedetail[0].fee_ocur_time", "is missing", "缺失"),
    # words for numbers, and numbers of the wrong kind
    Mistake("a word for a price", _put("input.feedetail.0.pric", "fifty"), "input.feedetail[0].pric", f"{DECIMALS} 6 decimals (fifty)", "普通数字 (fifty)"),
    Mistake("a Chinese number", _put("input.feedetail.0.cnt", "两"), "input.feedetail[0].cnt", "characters that no code has", "编码"),
    Mistake("full-width digits", _put("input.feedetail.0.cnt", "２"), "input.feedetail[0].cnt", "characters that no code has", "编码"),
    Mistake("a unit behind the amount", _put("input.data.medfee_sumamt", "100 yuan"), "input.data.medfee_sumamt", f"{DECIMALS} 2", "至多 2 位小数"),
    Mistake("a comma in the amount", _put("input.data.medfee_sumamt", "1,000.00"), "input.data.medfee_sumamt", f"{DECIMALS} 2", "至多 2 位小数"),
    Mistake("an exponent", _put("input.feedetail.0.pric", 1e300), "input.feedetail[0].pric", f"{DECIMALS} 6", "至多 6 位小数"),
    Mistake("true for an amount", _put("input.data.medfee_sumamt", True), "input.data.medfee_sumamt", "not a text", "不是文本"),
    Mistake("a list for an amount", _put("input.data.medfee_sumamt", ["100"]), "input.data.medfee_sumamt", "not a text", "不是文本"),
    Mistake("true for a flag", _put("input.data.acct_used_flag", True), "input.data.acct_used_flag", "not a text", "不是文本"),
    Mistake("Y for a flag", _put("input.data.mid_setl_flag", "Y"), "input.data.mid_setl_flag", "neither 0 nor 1 (Y)", "既不是 0 也不是 1 (Y)"),
    Mistake("assistance settled by itself", _put("input.data.setl_type", "3"), "input.data.setl_type", "neither 1 (at the counter) nor 2 (online) (3)", "既不是 1（中心报销）也不是 2（联网结算） (3)"),
    Mistake("a word for the sex", _put("input.baseinfo.gend", "male"), "input.baseinfo.gend", NUMBER, "不是整数"),
    Mistake("a word for the age", _put("input.baseinfo.age", "fifty"), "input.baseinfo.age", "at most 1 decimals", "至多 1 位小数"),
    Mistake("a negative age", _put("input.baseinfo.age", "-3"), "input.baseinfo.age", "no age in years", "不是以岁为单位的年龄"),
    Mistake("a sequence with decimals", _put("input.data.setl_seq", "1.5"), "input.data.setl_seq", NUMBER, "不是整数"),
    Mistake("a word for a date", _put("input.feedetail.0.fee_ocur_time", "yesterday"), "input.feedetail[0].fee_ocur_time", "not a day of the calendar (yesterday)", "不是有效日期"),
    Mistake("a day that no month has", _put("input.mdtrtinfo.begntime", "2024-06-31"), "input.mdtrtinfo.begntime", "not a day of the calendar", "不是有效日期"),
    Mistake("NaN", _put("input.feedetail.0.pric", float("nan")), "file", "holds NaN", "含 NaN"),
    # decimals and sizes beyond the field's
    Mistake("a third decimal", _put("input.data.medfee_sumamt", "100.005"), "input.data.medfee_sumamt", f"{DECIMALS} 2 decimals (100.005)", "(100.005)"),
    Mistake("a seventh decimal of a price", _put("input.feedetail.0.pric", "50.0000001"), "input.feedetail[0].pric", f"{DECIMALS} 6", "至多 6 位小数"),
    Mistake("a fifth decimal of a quantity", _put("input.feedetail.0.cnt", 2.00001), "input.feedetail[0].cnt", f"{DECIMALS} 4", "至多 4 位小数"),
    Mistake("a third decimal of a balance", _put("input.insuinfo.1.balc", "12.345"), "input.insuinfo[1].balc", f"{DECIMALS} 2", "至多 2 位小数"),
    Mistake("an amount beyond 64 bits", _put("input.feedetail.0.pric", "9" * 16), "input.feedetail[0].pric", "too large", "数值过大"),
    Mistake("an endless number", _put("input.data.medfee_sumamt", "1" * 6000), "input.data.medfee_sumamt", "longer than 64", "超过 64"),
    Mistake("a long id", _put("input.data.mdtrt_id", "E" * 65), "input.data.mdtrt_id", "longer than 64", "超过 64"),
    # the bytes
    Mistake("UTF-8 with BOM", _bytes(lambda text: text.encode("utf-8-sig")), "file", "byte order mark", "字节顺序标记"),
    Mistake("GBK", _named("gbk"), "psn_name", "not UTF-8 at byte", "疑似 GBK"),
    Mistake("GB18030", _named("gb18030"), "psn_name", "seems to be GBK or GB18030", "疑似 GBK 或 GB18030"),
    Mistake("UTF-16", _named("utf-16"), "file", "UTF-16", "UTF-16"),
    Mistake("a broken byte", _bytes(lambda text: text.replace("E1", "E\udcff", 1).encode("utf-8", "surrogateescape")), "mdtrt_id", "not UTF-8", "不是 UTF-8"),
    Mistake("GBK that is UTF-8 by chance", _put("input.data.mdtrt_id", "住院".encode("gbk").decode()), "input.data.mdtrt_id", "GBK", "GBK"),
    Mistake("half a surrogate", _put("input.data.mdtrt_id", "E\ud800"), "input.data.mdtrt_id", "characters that no code has", "编码"),
    Mistake("half a surrogate in the message id", _put("msgid", "\ud800"), "msgid", "characters that no code has", "编码"),
    # the JSON
    Mistake("an open bracket", _bytes(lambda text: text[:-1].encode()), "det_item_fee_sumamt", "no JSON from line 1", "不是有效 JSON"),
    Mistake("two requests", _bytes(lambda text: f"{text}{text}".encode()), "det_item_fee_sumamt", "no JSON", "不是有效 JSON"),
    Mistake("a list of requests", _bytes(lambda text: f"[{text}]".encode()), "file", "not one object", "不是一个 JSON 对象"),
    Mistake("deep brackets", _bytes(lambda text: (text[:-1] + ', "x": ' + "[" * 200_000 + "]" * 200_000 + "}").encode()), "file", "too many levels", "括号层数过多"),
    Mistake("a huge file", _bytes(lambda text: text.encode() + b" " * (17 << 20)), "file", "larger than", "超过"),
    Mistake("a key twice", _bytes(lambda text: text.replace('"psn_no"', f'"psn_no": "{PERSON}", "psn_no"').encode()), "psn_no", "stands twice", "重复出现"),
    Mistake("a person's number for a key", _bytes(lambda text: text.replace('"psn_no"', f'"{NAME}": 1, "{NAME}": 2, "psn_no"').encode()), "file", "stands twice", "重复出现"),
    # the envelope
    Mistake("another transaction", _put("infno", "1101"), "infno", "none of 2206, 2207, 2303, 2304 (1101)", "之一 (1101)"),
    Mistake("no transaction", _without("infno"), "infno", "none of", "之一"),
    Mistake("a list for the transaction", _put("infno", ["2304"]), "infno", "not a text", "不是文本"),
    Mistake("no input", _without("input"), "input.data", "is missing", "缺失"),
    Mistake("input as a text", _put("input", "{}"), "input", "not an object", "不是对象"),
    Mistake("no data", _without("input.data"), "input.data", "is missing", "缺失"),
    Mistake("no institution", _without("fixmedins_code"), "fixmedins_code", "ADJ-2001", "缺少定点医药机构编号"),
    Mistake("no person", _without("input.data.psn_no"), "input.data.psn_no", "ADJ-2004", "缺少人员编号"),
    Mistake("no area", _without("insuplc_admdvs"), "insuplc_admdvs", "ADJ-2010", "参保地"),
    Mistake("no time of the call", _without("inf_time"), "inf_time", "ADJ-3004", "缺少日期"),
    Mistake("no admission", _without("input.mdtrtinfo"), "input.mdtrtinfo.begntime", "ADJ-3004", "缺少日期"),
    Mistake("no lines", _without("input.feedetail"), "input.feedetail", "ADJ-3007", "没有费用明细"),
    Mistake("another scheme's enrolment", _put("input.data.insutype", "340"), "input.insuinfo", "no entry of the insutype", "没有与结算险种类型"),
]  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_a_wrong_file_is_answered(mistake: Mistake, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Infcode -1, exit code 1, a message that names the field in both languages and no value of a person."""
    request = message()
    request["input"]["data"]["psn_no"] = PERSON
    data = mistake.make(request)
    path = tmp_path / "2304.json"
    path.write_bytes(data if data is not None else json.dumps(request).encode())
    pack = [] if mistake.name == "no area" else ["--pack", "hangzhou"]
    assert main(["settle", *pack, str(path)]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["infcode"] == "-1" and answer["output"] == {}
    said = answer["err_msg"]
    assert f" {mistake.field}: " in said and mistake.en in said and mistake.zh in said, said
    assert PERSON not in said and NAME not in said


def test_every_fault_of_a_request_is_told_at_once(tmp_path: Path) -> None:
    request = message()
    request["input"]["feedetail"][0] |= {"pric": "x", "cnt": "y"}
    request["input"]["baseinfo"]["gend"] = "male"
    path = tmp_path / "2304.json"
    path.write_text(json.dumps(request), "utf-8")
    said = settle_message(path, "hangzhou")["err_msg"]
    assert [said.count(field) for field in ("[0].pric:", "[0].cnt:", "baseinfo.gend:")] == [1, 1, 1]


RIGHT: list[Callable[[dict[str, Any]], Any]] = [
    _put("input.feedetail.0.pric", 50),
    _put("input.data.medfee_sumamt", "100.000"),
    _put("input.baseinfo", [{"gend": 1, "age": 50.5}]),
    _put("input.insuinfo.1.balc", None),
    _put("input.oprninfo", None),
    _put("input.dscginfo.endtime", "20240610"),
    _put("input.mdtrtinfo.unknown_node", {"name": NAME}),
]


@pytest.mark.parametrize("change", RIGHT)
def test_what_is_allowed_is_settled(change: Callable[[dict[str, Any]], Any], tmp_path: Path) -> None:
    request = message()
    change(request)
    path = tmp_path / "2304.json"
    path.write_text(json.dumps(request), "utf-8")
    answer = settle_message(path, "hangzhou")
    assert (answer["infcode"], answer["err_msg"]) == ("0", "")


def test_two_requests_of_which_one_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps(message()), "utf-8")
    bad.write_text(json.dumps(message(infno="9999")), "utf-8")
    assert main(["settle", "--pack", "hangzhou", str(good)]) == 0
    assert main(["settle", "--pack", "hangzhou", str(good), str(bad)]) == 1
    assert capsys.readouterr().out.count('"infcode": "0"') == 2


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(["", "0", "-1", "1e9"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


def places(node: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place of a JSON value, its root included."""
    yield way
    entries = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for step, inner in entries:
        yield from places(inner, (*way, step))


PLACES = list(places(message()))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.sampled_from(PLACES), value=ANY_JSON)
@example(place=(), value=[])
@example(place=("input", "data", "medfee_sumamt"), value=10**400)
def test_any_value_in_any_place_is_answered(place: tuple[Any, ...], value: Any, tmp_path: Path, capsys: Any) -> None:
    """Never a traceback: an answer, or a refusal by the command where nothing says that the file is national."""
    request: Any = copy.deepcopy(message())
    if place:
        node = request
        for step in place[:-1]:
            node = node[step]
        node[place[-1]] = value
    else:
        request = value
    path = tmp_path / "2304.json"
    path.write_text(json.dumps(request), "utf-8")
    code = main(["settle", "--pack", "hangzhou", str(path)])
    out = capsys.readouterr().out
    if out.startswith("{"):
        assert code == (0 if json.loads(out)["infcode"] == "0" else 1)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=st.integers(0, 2000), length=st.integers(0, 40), junk=st.binary(max_size=20))
def test_any_bytes_in_any_place_are_answered(start: int, length: int, junk: bytes, tmp_path: Path, capsys: Any) -> None:
    data = json.dumps(message()).encode()
    path = tmp_path / "2304.json"
    path.write_bytes(data[:start] + junk + data[start + length :])
    assert main(["settle", "--pack", "hangzhou", str(path)]) in (0, 1)
    capsys.readouterr()
