"""A catalogue with faults: all of them come out in one run, with file and line, and say what to write."""

from __future__ import annotations

import pytest

from adjudicator.rulefile.faults import Faults
from tests.catalogue import toy

ITEM_HEAD, CLASS_HEAD, CEILING_HEAD, RATIO_HEAD, RULE_HEAD = (
    text.splitlines()[0] + "\n" for text in (toy.ITEM, toy.CLASS, toy.CEILING, toy.RATIO, toy.RATIO_RULE)
)


def faults_of(tmp_path, **files: str) -> Faults:
    return toy.read(toy.write(tmp_path / "book", **files))[1]


def one(faults: Faults, key: str, words: str) -> None:
    """Exactly one fault has this key, and its text holds the words."""
    found = [str(fault) for fault in faults if fault.key == key]
    assert len(found) == 1, [str(fault) for fault in faults]
    assert words in found[0]


def test_no_faults(tmp_path):
    assert not faults_of(tmp_path)


def test_all_faults_in_one_run(tmp_path):
    """Eleven faults in five files, one run."""
    faults = faults_of(
        tmp_path,
        item=toy.ITEM + "lower,name,101,09,\nXQ01,name,105,09,\nXQ02,name,101,09,no_such_flag\nXA01,twice,101,09,\n",
        class_=toy.CLASS + "XA01,990000,D,,2020-01-01,\nXA01,99000,A,,2020-01-01,\nGHOST,990000,A,,2020-01-01,\n",
        ceiling=toy.CEILING + "XA01,990000,*,1.1234567,excess_to_patient,2020-01-01,\n"
        "XA01,990000,fourth,1,excess_to_patient,2020-01-01,\nXA01,990000,*,1,perhaps,2020-13-01,\n",
        ratio=toy.RATIO + "C001,990000,*,*,150,2020-01-01,\nC001,990000,nobody,*,10,2020-01-01,\n",
    )
    said = {(fault.file, fault.key): str(fault) for fault in faults}
    for place, words in {
        ("catalogue/item.csv", "line 18"): "'lower' is not a national code",
        ("catalogue/item.csv", "line 19"): "list_type: '105' is not one of 101, 102",
        ("catalogue/item.csv", "line 20"): "flags: 'no_such_flag' is not one of co_pay_free",
        ("catalogue/item.csv", "line 21"): "the item stands already in catalogue/item.csv line 2",
        ("catalogue/class.csv", "line 20"): "class: 'D' is not one of A, B, C",
        ("catalogue/class.csv", "line 21"): "area: '99000' is not a six-digit area code",
        ("catalogue/class.csv", "line 22"): "the item GHOST is not in item.csv",
        ("catalogue/ceiling.csv", "line 12"): "has a seventh decimal",
        (
            "catalogue/ceiling.csv",
            "line 13",
        ): "unknown level group 'fourth' — the groups are tertiary, other, community",
        ("catalogue/ceiling.csv", "line 14"): "is not",
        ("catalogue/ratio.csv", "line 9"): "write 5 for 5 %",
        ("catalogue/ratio.csv", "line 10"): "unknown person class 'nobody'",
    }.items():
        assert words in said[place], (place, said)


def test_two_rows_on_one_day_are_named_both(tmp_path):
    """Two values valid on one day (design 5)."""
    faults = faults_of(tmp_path, class_=toy.CLASS + "XA01,990000,B,,2022-01-01,2022-12-31\n")
    one(faults, "line 20", "two rows hold on one day: this and catalogue/class.csv line 2")


def test_the_last_day_belongs_to_a_row(tmp_path):
    """A row that ends on the day on which the next one begins."""
    rows = "XA01,990101,B,,2022-01-01,2022-12-31\nXA01,990101,C,,2022-12-31,2023-12-31\n"
    one(faults_of(tmp_path, class_=toy.CLASS + rows), "line 21", "two rows hold on one day")


def test_rows_may_follow_each_other(tmp_path):
    rows = "XA01,990101,B,,2022-01-01,2022-12-31\nXA01,990101,C,,2023-01-01,2023-01-01\nXA01,990101,A,,2023-01-02,\n"
    assert not faults_of(tmp_path, class_=toy.CLASS + rows)


def test_to_before_from(tmp_path):
    faults = faults_of(tmp_path, class_=toy.CLASS + "XA01,990101,A,,2022-01-02,2022-01-01\n")
    one(faults, "line 20", "`to` is before `from`")


@pytest.mark.parametrize("date", ["20220101", "2022-02-30", "1989-12-31", "2022-1-1", ""])
def test_dates(tmp_path, date):
    faults = faults_of(tmp_path, class_=toy.CLASS + f"XA01,990101,A,,{date},\n")
    one(faults, "line 20", "is not a date such as 2022-01-01")


def test_a_class_b_item_without_a_ratio(tmp_path):
    """A missing value: nobody says what the patient pays first."""
    rules = RULE_HEAD + "*,101,B,990000,*,*,3,2020-01-01,2022-12-31\n*,*,B,990000,employee,*,10,2020-01-01,\n"
    faults = faults_of(tmp_path, ratio_rule=rules)
    messages = [str(fault) for fault in faults]
    assert any(
        "V001: the class-B item has no first-pay ratio in area 990100 from 20230101 to 20991231" in m for m in messages
    )
    assert any(fault.key == "T001" for fault in faults)  # residents lack it
    assert not any(fault.key == "C001" for fault in faults)  # has its own row


def test_columns(tmp_path):
    faults = faults_of(tmp_path, class_="code,area,klass,from,to,to\nXA01,990000,A,2020-01-01,,\n")
    said = " ".join(map(str, faults))
    for words in (
        "the column class is missing",
        "the column restricted_use is missing",
        "unknown column 'klass'",
        "'to' stands twice",
    ):
        assert words in said


@pytest.mark.parametrize("content", ["", "\n", "code,name\n"])
def test_empty_or_short_file(tmp_path, content):
    assert any("is missing" in str(fault) for fault in faults_of(tmp_path, item=content))


def test_a_row_with_too_few_columns(tmp_path):
    one(faults_of(tmp_path, class_=toy.CLASS + "XA01,990101\n"), "line 20", "has 2 columns instead of 6")


def test_not_utf_8(tmp_path):
    folder = toy.write(tmp_path / "book")
    (folder / "item.csv").write_bytes(toy.ITEM.encode("gb18030"))
    assert any(fault.file == "catalogue/item.csv" and "UTF" in str(fault) for fault in toy.read(folder)[1])


def test_a_byte_order_mark_and_windows_lines_are_read(tmp_path):
    """Files that a spreadsheet saved."""
    folder = toy.write(tmp_path / "book")
    (folder / "item.csv").write_bytes(b"\xef\xbb\xbf" + toy.ITEM.replace("\n", "\r\n").encode())
    assert not toy.read(folder)[1]


def test_a_place_that_is_not_the_packs(tmp_path):
    faults = faults_of(tmp_path, class_=toy.CLASS + "XA01,990177,A,,2020-01-01,\nXA01,330100,A,,2020-01-01,\n")
    one(faults, "line 20", "the area 990177 is not part of the pack toy")
    one(faults, "line 21", "use 000000, 990000, 990100 or a county of the pack")


def test_a_wide_fault_is_counted(tmp_path):
    """A column that is wrong throughout does not print 300,000 lines."""
    rows = "".join(f"XZ{number:04d},name,999,09,\n" for number in range(1000))
    faults = faults_of(tmp_path, item=toy.ITEM + rows)
    assert 200 <= len(faults) < 220
    assert any("800 more lines have the same fault" in str(fault) for fault in faults)


# ------------------------------------------------------------------------------------------------ catalogue.toml


@pytest.mark.parametrize(
    ("settings", "key", "words"),
    [
        ("files = [", "file", "is not valid TOML"),
        (toy.SETTINGS + "surprise = 1\n[x]\n", "x", "unknown key"),
        (toy.SETTINGS.replace('[files."ratio.csv"]\n' + toy.HEADER, ""), "files.ratio.csv", "is missing"),
        (toy.SETTINGS.replace('"official"', "1", 1), "files.item.csv.evidence", "not a grade of evidence"),
        (toy.SETTINGS.replace('document = "玩医保〔2020〕1号"', "", 1), "files.item.csv.document", "is missing"),
        (toy.SETTINGS + f'[files."other.csv"]\n{toy.HEADER}', "files.other.csv", "unknown file"),
        (
            toy.SETTINGS + f'[[rule]]\nfrom = 2020-01-01\nrefunds = "mirror"\n{toy.HEADER}',
            "rule[0].refunds", "did you mean refund?",
        ),
        (
            toy.SETTINGS + f'[[rule]]\nfrom = 2020-01-01\nrefund = "maybe"\n{toy.HEADER}',
            "rule[0].refund", "write one of mirror, remainder",
        ),
        (
            toy.SETTINGS + f'[[rule]]\nfrom = 2020-01-01\nrefund = "mirror"\n{toy.HEADER}' * 2,
            "rule[1].refund", "two values hold on 2020-01-01",
        ),
        (
            toy.SETTINGS + f'[[rule]]\nrefund = "mirror"\n{toy.HEADER}',
            "rule[0].from", "is missing or not a date",
        ),
        (toy.SETTINGS + toy.PROGRAMME.replace('"epidemic"', '"famine"'), "programme[0].id", "no programme 'famine'"),
    ],
)  # fmt: skip
def test_settings(tmp_path, settings, key, words):
    one(faults_of(tmp_path, settings=settings), key, words)


def test_settings_are_missing(tmp_path):
    folder = toy.write(tmp_path / "book")
    (folder / "catalogue.toml").unlink()
    faults = toy.read(folder)[1]
    one(faults, "file", "is missing")
    assert len(faults) == 6  # and each table's header
