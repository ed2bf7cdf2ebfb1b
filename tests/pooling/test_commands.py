"""The commands as a bureau runs them: files in; table, JSON, page and postings out."""

from __future__ import annotations

import csv
import json
import re
import shutil
from xml.etree import ElementTree

import pytest

from adjudicator.cli.main import main
from adjudicator.codes import Scheme
from adjudicator.payment.point_values import PointKind, month_number
from adjudicator.payment.value_tables import dense_point_values
from adjudicator.pooling.cases import COLUMNS, read_cases
from adjudicator.pooling.periods.context import load_context

COUNTY_COLUMNS = "county,scheme,income_yuan,expenditure_yuan,carried_yuan"
COUNTIES = f"""\
{COUNTY_COLUMNS},financing_yuan,last_financing_yuan,last_expenditure_yuan,old_gap_yuan
990001,employee,1200000.00,1280000.00,30000.00,1180000.00,1100000.00,1170000.00,
990002,employee,800000.00,950000.00,12000.00,790000.00,750000.00,840000.00,25000.01
990003,employee,1500000.00,1410000.00,900000.00,1490000.00,1400000.00,1300000.00,
990004,resident,600000.00,950000.00,0.00,600000.00,580000.00,900000.00,
"""


@pytest.fixture
def counties(tmp_path):
    path = tmp_path / "counties.csv"
    path.write_text(COUNTIES, encoding="utf-8")
    return path


def case_file(path, rows):
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS)
        writer.writeheader()
        plain = {
            "hospital": "H99000100001", "county": "990001", "scheme": "310", "group": "FR21", "method": 4,
            "month": 202503, "admission_date": 20250301, "discharge_date": 20250310, "person": "p", "exempt": 0,
            "sign": 1, "points_e8": 12_600_000_000, "total_fen": 1_000_000, "patient_fen": 300_000, "others_fen": 0,
            "fund_fen": 700_000, "due_fen": 650_000,
        }  # fmt: skip
        writer.writerows([plain | row for row in rows])
    return path


class TestPool:
    def run(self, capsys, counties, *words: str) -> dict:
        assert (
            main(["pool", "--pack", "taohuayuan", "--year", "2025", "--counties", str(counties), *words, "--json"]) == 0
        )
        return json.loads(capsys.readouterr().out)

    def test_json_holds_who_pays_each_gap(self, capsys, counties) -> None:
        data = self.run(capsys, counties, "--fund", "310:reserve=100000", "--fund", "390:reserve=500000")
        by_county = {row["county"]: row for row in data["counties"]}
        for row in data["counties"]:
            assert sum(row["payments_fen"].values()) == row["gap_fen"]
        assert by_county["990002"]["old_gap_fen"] == [500_001, 500_000, 500_000, 500_000, 500_000]
        assert by_county["990001"]["levies_fen"] == {"reserve": 11_000_000}
        assert by_county["990003"]["capacity"] == "normal"
        assert any(entry["line"] == "capacity target" for entry in data["warnings"])

    def test_the_page_has_charts_and_the_same_figures(self, capsys, counties, tmp_path) -> None:
        page = tmp_path / "pool.html"
        data = self.run(
            capsys, counties, "--fund", "310:reserve=100000", "--fund", "390:reserve=500000", "--html", str(page)
        )
        text = page.read_text(encoding="utf-8")
        assert "<script" not in text and "http" not in text
        charts = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
        assert len(charts) == 2
        bars = [element for chart in charts for element in ElementTree.fromstring(chart).iter("rect")]
        assert len(bars) == len(data["counties"]) + sum(len(row["payments_fen"]) for row in data["counties"])
        assert all(float(bar.get("width")) > 0 for bar in bars)
        for row in data["counties"]:
            assert f"{row['expenditure_fen'] // 100:,}." in text
        assert "职工合计" in text and "居民合计" in text and "依据：桃医保〔2020〕54号" in text

    def test_a_fund_s_balance_is_followed_through_the_year(self, capsys, counties) -> None:
        data = self.run(capsys, counties, "--fund", "310:reserve=100000", "--fund", "390:reserve=500000")
        for one in data["funds"]:
            own = [row for row in data["counties"] if row["scheme"] == one["scheme"]]
            assert one["paid_fen"] == sum(row["payments_fen"].get("reserve", 0) for row in own)
            assert one["levied_fen"] == sum(row["levies_fen"]["reserve"] for row in own)
            assert one["after_fen"] == one["before_fen"] - one["paid_fen"] + one["levied_fen"]
        assert [(one["scheme"], one["before_fen"]) for one in data["funds"]] == [("310", 10**7), ("390", 5 * 10**7)]

    def test_a_table_for_people(self, capsys, counties) -> None:
        words = ["pool", "--pack", "taohuayuan", "--year", "2025", "--counties", str(counties)]
        assert main([*words, "--fund", "310:reserve=100000", "--fund", "390:reserve=500000"]) == 0
        shown = capsys.readouterr().out
        assert "武陵县" in shown and "预警" in shown

    def test_a_fund_without_balance_and_one_without_scheme_are_named(self, capsys, counties) -> None:
        words = ["pool", "--pack", "taohuayuan", "--year", "2025", "--counties", str(counties)]
        assert main(words) == 1
        assert "needs the balance of the fund reserve" in capsys.readouterr().err
        assert main([*words, "--fund", "reserve=1"]) == 1
        assert "say whose fund it is" in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("old", "new", "expected"),
        [
            ("1200000.00", "", "income_yuan: is missing"),
            ("990001", "990088", "990088 is not a county of the pool"),
            ("990002,employee", "990001,employee", "990001 is there twice"),
            ("income_yuan", "income_yuans", "unknown column 'income_yuans' — did you mean income_yuan?"),
        ],
    )
    def test_bad_county_figures_are_named(self, capsys, counties, old: str, new: str, expected: str) -> None:
        counties.write_text(COUNTIES.replace(old, new, 1), encoding="utf-8")
        words = ["pool", "--pack", "taohuayuan", "--year", "2025", "--counties", str(counties)]
        assert main(words) == 1
        assert expected in capsys.readouterr().err

    def test_a_city_without_deficit_rule_is_an_error_not_a_guess(self, capsys, tmp_path) -> None:
        path = tmp_path / "huzhou.csv"
        path.write_text(f"{COUNTY_COLUMNS}\n330502,employee,100,200,0\n", encoding="utf-8")
        assert main(["pool", "--pack", "huzhou", "--year", "2022", "--counties", str(path)]) == 1
        assert "has no [[deficit]]" in capsys.readouterr().err

    def test_a_rules_file_on_its_own(self, capsys, tmp_path, packs) -> None:
        path = tmp_path / "c.csv"
        path.write_text(f"{COUNTY_COLUMNS}\n500103,resident,100,200,0\n", encoding="utf-8")
        rules = packs / "pooling_examples" / "chongqing.toml"
        assert main(["pool", "--rules", str(rules), "--year", "2013", "--counties", str(path), "--json"]) == 0
        data = json.loads(capsys.readouterr().out)
        assert data["counties"][0]["payments_fen"] == {"city": 5_000, "county": 5_000}


class TestSettle:
    def run(self, capsys, *words: str) -> dict:
        assert main([*words, "--pack", "taohuayuan", "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    def test_a_month_with_report_and_ledger(self, capsys, tmp_path, store_url) -> None:
        rows = [{"case": "a"}, {"case": "b", "hospital": "H99000200001", "county": "990002"}]
        path = case_file(tmp_path / "march.csv", rows)
        words = ["settle-month", "--month", "202503", "--cases", str(path), "--budget", "310=20000.01"]
        report = tmp_path / "report"
        first = self.run(capsys, *words, "--redis", store_url, "--post", "--report", str(report))
        assert first["schemes"]["310"]["fund_fen"] == 1_900_001  # 5 % reserve
        assert sum(first["schemes"]["310"]["counties"].values()) == 1_900_001
        assert len(first["posted"]) == 4
        assert self.run(capsys, *words, "--redis", store_url, "--post")["posted"] == []
        case_file(path, [*rows, {"case": "b", "hospital": "H99000200001", "county": "990002", "sign": -1}])
        again = self.run(capsys, *words, "--redis", store_url, "--post")
        assert again["schemes"]["310"]["hospitals"] == {"H99000100001": 1_900_001}
        assert {tuple(row[:3]) for row in again["posted"]} == {tuple(row[:3]) for row in first["posted"]}
        lines = list(csv.DictReader((report / "202503-H99000100001.csv").open(encoding="utf-8")))
        due = sum(int(line["due_fen"]) for line in lines)
        assert due == first["schemes"]["310"]["hospitals"]["H99000100001"]

    def test_the_values_become_the_next_month_s_provisional_ones(self, capsys, tmp_path, packs) -> None:
        """Values of several months are added one after the other as they are, and the pack's own holds between them."""
        shutil.copytree(packs, tmp_path / "packs")
        pack = tmp_path / "packs" / "taohuayuan"
        rules = pack / "payment.toml"
        expected = {}
        for month, following in ((202512, 20260101), (202510, 20251101)):
            path = case_file(tmp_path / "c.csv", [{"case": "a", "month": month, "points_e8": month * 10**5}])
            words = ["settle-month", "--month", str(month), "--cases", str(path), "--budget", "310=12345.67"]
            value = self.run(capsys, *words, "--values", str(tmp_path / "v.toml"))["schemes"]["310"]["value_yuan"]
            expected[following] = round(float(value) * 1_000_000)
            text = (tmp_path / "v.toml").read_text("utf-8")
            assert (
                f"from = {following // 10_000}-" in text and text.count("to = ") == text.count("[[point_value]]") == 1
            )
            rules.write_text(rules.read_text("utf-8") + text, "utf-8")
        assert main(["rules", "check", str(pack)]) == main(["rules", "check", "taohuayuan"]) == 0
        context, before = load_context(str(pack)), load_context("taohuayuan")
        first, table = dense_point_values(context.payment.point_values)
        former_first, former = dense_point_values(before.payment.point_values)
        for day in (20251001, 20251101, 20251201, 20260101, 20260201):
            own = former[month_number(day) - former_first, Scheme.EMPLOYEE, PointKind.DRG]["value_e4"]
            found = table[month_number(day) - first, Scheme.EMPLOYEE, PointKind.DRG]["value_e4"]
            assert found == expected.get(day, own) > 0
        rules.write_text(rules.read_text("utf-8") + text, "utf-8")
        assert main(["rules", "check", str(pack)]) == 1  # the same month twice

    def test_a_total_in_the_table_is_the_sum_of_its_parts(self, capsys, tmp_path) -> None:
        """Of employees points x value is all the money, of residents the fund's only."""
        rows = [{"case": "a"}, {"case": "b", "scheme": "390", "person": "q"}]
        path = case_file(tmp_path / "c.csv", rows)
        words = ["settle-month", "--month", "202503", "--cases", str(path), "--budget", "310=10000"]
        assert main([*words, "--budget", "390=5000", "--pack", "taohuayuan"]) == 0
        shown = re.findall(r"H99000100001 .*", capsys.readouterr().out)
        amounts = [[float(text.replace(",", "")) for text in re.findall(r"[\d,.]+", row)[3:6]] for row in shown]
        assert amounts == [[12500.0, 3000.0, 9500.0], [7850.0, 3000.0, 4850.0]]

    def test_review_decisions_from_a_file(self, capsys, tmp_path) -> None:
        others = [{"case": f"o{number}", "points_e8": 0, "person": number} for number in range(999)]
        path = case_file(tmp_path / "c.csv", [{"case": "a"}, {"case": "b", "person": "q"}, *others])
        decisions = tmp_path / "d.csv"
        decisions.write_text("case,points,reasonable_cost_yuan\na,252,\nb,,25200.00\n", encoding="utf-8")
        words = ["settle-month", "--month", "202503", "--cases", str(path), "--budget", "310=5000000", "--decisions"]
        assert self.run(capsys, *words, str(decisions))["schemes"]["310"]["points_e8"] == 504 * 10**8
        decisions.write_text("case,points,reasonable_cost_yuan\na,252,100\na,,\n", encoding="utf-8")
        assert main([*words, str(decisions), "--pack", "taohuayuan"]) == 1
        shown = capsys.readouterr().err
        assert "is there twice" in shown and "both filled or both empty" in shown

    def test_a_year_needs_scores_where_a_deposit_is_held(self, capsys, tmp_path) -> None:
        path = case_file(tmp_path / "c.csv", [{"case": "a"}])
        scores = tmp_path / "s.csv"
        scores.write_text("hospital,score\nH99000100001,70\n", encoding="utf-8")
        words = ["settle-year", "--year", "2025", "--cases", str(path), "--budget", "310=10000"]
        full = self.run(capsys, *words)["schemes"]["310"]["fund_fen"]
        scored = self.run(capsys, *words, "--scores", str(scores))["schemes"]["310"]["fund_fen"]
        assert full == scored == 700_000 + 255_000  # surplus of 3,000 kept at 85 %, deposit redistributed to itself
        assert main([*words, "--pack", "taohuayuan"]) == 0
        assert "点值" in capsys.readouterr().out

    def test_reviewed_cases_are_swapped_with_the_year(self, capsys, tmp_path) -> None:
        """At most the share of the applied cases that the pack allows, each for another case of the hospital."""
        others = [{"case": f"o{number}", "person": number} for number in range(9_990)]
        path = case_file(tmp_path / "c.csv", [*({"case": f"r{n}", "person": f"r{n}"} for n in range(10)), *others])
        decisions = tmp_path / "d.csv"
        words = ["settle-year", "--year", "2025", "--cases", str(path), "--budget", "310=9000000", "--pack"]
        words += ["taohuayuan", "--json", "--decisions", str(decisions)]

        def decided(*replaced: str) -> tuple[int, str]:
            rows = [f"r{n},252,,{replaced[n] if n < len(replaced) else ''}" for n in range(10)]
            decisions.write_text(
                "case,points,reasonable_cost_yuan,replaces\n" + "\n".join(rows) + "\n", encoding="utf-8"
            )
            code = main(words)
            shown = capsys.readouterr()
            return code, shown.out if code == 0 else shown.err

        code, shown = decided("o1", "o2")
        assert code == 0
        assert json.loads(shown)["schemes"]["310"]["points_e8"] == (9_990 * 126 + 10 * 252) * 10**8
        assert "3 of 10 applied cases of H99000100001 were swapped, 2 may be" in decided("o1", "o2", "o3")[1]
        assert "case r0 replaces r1" in decided("r1")[1]
        month = ["settle-month", "--month", "202503", *words[3:]]
        decided("o1")
        assert main(month) == 1
        assert "with the year's settlement, not in a month" in capsys.readouterr().err

    def test_a_decision_without_case_is_said(self, capsys, tmp_path) -> None:
        path = case_file(tmp_path / "c.csv", [{"case": "a"}])
        (tmp_path / "d.csv").write_text("case,points,reasonable_cost_yuan\nb,252,\n", encoding="utf-8")
        words = ["settle-month", "--month", "202503", "--cases", str(path), "--decisions", str(tmp_path / "d.csv")]
        assert "1 decisions name no standing case" in self.run(capsys, *words)["notes"][0]

    def quotas(self, tmp_path, *lines: str) -> list[str]:
        """A year of one hospital: two quota cases of 10,000 yuan, three of appendicitis of 9,000 to 11,000 yuan."""
        rows = [
            {"case": "a"},
            {"case": "q1", "method": 8, "points_e8": 0, "county": "990002"},
            {"case": "q2", "method": 8, "points_e8": 0},
            *({"case": f"s{n}", "method": 2, "points_e8": 0, "total_fen": 900_000 + 100_000 * n, "due_fen": 600_000,
               "diagnosis": "K35.900"} for n in range(3)),
        ]  # fmt: skip
        path = tmp_path / "year.csv"
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, (*COLUMNS, "diagnosis"), restval="")
            writer.writeheader()
            made = case_file(
                tmp_path / "plain.csv", [{k: v for k, v in row.items() if k != "diagnosis"} for row in rows]
            )
            plain = list(csv.DictReader(made.open(encoding="utf-8")))
            writer.writerows(
                [line | {"diagnosis": row.get("diagnosis", "")} for line, row in zip(plain, rows, strict=True)]
            )
        (tmp_path / "q.csv").write_text(
            "hospital,scheme,kind,limit_yuan,diagnosis,approved_yuan,stays,visits\n" + "\n".join(lines) + "\n",
            encoding="utf-8",
        )
        words = ["settle-year", "--year", "2025", "--cases", str(path), "--budget", "310=10000"]
        return [*words, "--quotas", str(tmp_path / "q.csv")]

    def test_a_year_of_quotas_and_average_limits(self, capsys, tmp_path) -> None:
        """Quota 18,000, cost 20,000: half of the excess; average limit 9,800, cost 10,000: 600 are the hospital's."""
        words = self.quotas(tmp_path, "H99000100001,employee,quota,18000,,,1,1000",
                            "H99000100001,employee,average_limit,9800,K35*,,,")  # fmt: skip
        data = self.run(capsys, *words, "--report", str(tmp_path / "r"))
        quota, average = data["limits"]
        assert (quota["cases"], quota["cost_fen"], quota["settled_fen"]) == (2, 2_000_000, 1_900_000 - 600_000)
        assert (average["cases"], average["settled_fen"]) == (3, 1_800_000 - 60_000)
        kept = sum(row[-1] for row in data["kept_fen"])
        assert kept == quota["settled_fen"] + average["settled_fen"]
        lines = list(csv.DictReader((tmp_path / "r" / "2025-H99000100001.csv").open(encoding="utf-8")))
        assert sum(int(line["due_fen"]) for line in lines) == data["hospitals_fen"]["H99000100001"]
        listed = list(csv.DictReader((tmp_path / "r" / "2025-all.csv").open(encoding="utf-8")))
        assert sum(int(line["fund_fen"]) for line in listed) == sum(data["hospitals_fen"].values())

    @pytest.mark.parametrize(
        ("lines", "expected"),
        [(["H99000100001,employee,quota,0,,,,"], "limit"),
         (["H99000200001,employee,quota,100,,,,"], "has no quota case of scheme 310 in 2025; remove its line"),
         (["H99000100001,employee,quota,18000,,,,"] * 2, "quota twice; keep one row"),
         (["H99000100001,employee,average_limit,9000,K35*,,,", "H99000100001,employee,average_limit,9000,K35.9*,,,"],
          "take the same cases; keep one"),
         (["H99000100001,employee,quota,99000,,,,"], "needs the number of outpatient visits")],
    )  # fmt: skip
    def test_bad_quotas_are_named(self, capsys, tmp_path, lines: list[str], expected: str) -> None:
        assert main([*self.quotas(tmp_path, *lines), "--pack", "taohuayuan"]) == 1
        assert expected in capsys.readouterr().err

    def test_a_synthetic_year(self, capsys) -> None:
        data = self.run(capsys, "settle-year", "--synthetic", "2000")
        assert data["paid"]["claims"] == 2000 and data["memory_mb"] > 0

    @pytest.mark.parametrize(
        ("row", "expected"),
        [({"sign": 0}, "sign is neither 1 nor -1"), ({"points_e8": -1}, "points are negative"),
         ({"total_fen": "12.5"}, "total_fen is '12.5'")],
    )  # fmt: skip
    def test_bad_case_files_name_the_line(self, capsys, tmp_path, row: dict, expected: str) -> None:
        path = case_file(tmp_path / "c.csv", [{"case": "a"}, {"case": "b", **row}])
        assert main(["settle-month", "--month", "202503", "--cases", str(path), "--pack", "taohuayuan"]) == 1
        shown = capsys.readouterr().err
        assert expected in shown and "line 3" in shown

    @pytest.mark.parametrize(
        ("row", "expected"),
        [({"county": "990088"}, "case b: county: '990088' is not a county of the pool (1 cases)"),
         ({"hospital": "HX"}, "case b: hospital: 'HX' has points but is not in hospitals.csv"),
         ({"group": "ZZ99"}, "case b: group: 'ZZ99' has points but is no group of the pack"),
         ({"method": 44}, "case b: method: 44 is not a method"),
         ({"scheme": "410"}, "case b: scheme: '410' is not a scheme"),
         ({"sign": -1}, "case b is taken back but not settled")],
    )  # fmt: skip
    def test_what_the_pack_does_not_know_is_named(self, capsys, tmp_path, row: dict, expected: str) -> None:
        path = case_file(tmp_path / "c.csv", [{"case": "a"}, {"case": "b", "person": "q", **row}])
        assert main(["settle-month", "--month", "202503", "--cases", str(path), "--pack", "taohuayuan"]) == 1
        assert expected in capsys.readouterr().err

    def test_an_ungrouped_case_with_points_from_its_cost_is_cleared(self, capsys, tmp_path) -> None:
        path = case_file(tmp_path / "c.csv", [{"case": "a"}, {"case": "b", "person": "q", "group": "DQY"}])
        data = self.run(capsys, "settle-month", "--month", "202503", "--cases", str(path))
        assert data["schemes"]["310"]["points_e8"] == 252 * 10**8

    def test_a_period_without_cases_is_refused_one_that_was_taken_back_is_not(
        self, capsys, tmp_path, store_url
    ) -> None:
        path = case_file(tmp_path / "c.csv", [{"case": "a"}])
        words = ["settle-month", "--cases", str(path), "--redis", store_url, "--post"]
        first = self.run(capsys, *words, "--month", "202503")
        assert main([*words, "--month", "202504", "--pack", "taohuayuan"]) == 1
        assert "there is no case of 202504" in capsys.readouterr().err
        case_file(path, [{"case": "a"}, {"case": "a", "sign": -1}])
        again = self.run(capsys, *words, "--month", "202503")
        assert again["posted"] == [[*row[:4], -row[4]] for row in first["posted"]]

    def test_files_of_several_months_are_joined(self, tmp_path) -> None:
        from adjudicator.pooling.cases import join

        one = read_cases(case_file(tmp_path / "1.csv", [{"case": "a", "hospital": "Z"}]))
        two = read_cases(case_file(tmp_path / "2.csv", [{"case": "b", "hospital": "A"}]))
        both = join([one, two])
        assert [both.hospitals[number] for number in both.rows["hospital"]] == ["Z", "A"]

    def test_parquet_reads_as_csv_does(self, tmp_path) -> None:
        import pyarrow.csv
        import pyarrow.parquet

        path = case_file(tmp_path / "1.csv", [{"case": "a"}, {"case": "b", "sign": -1}])
        pyarrow.parquet.write_table(pyarrow.csv.read_csv(path), tmp_path / "1.parquet")
        assert (read_cases(path).rows == read_cases(tmp_path / "1.parquet").rows).all()


class TestCapitation:
    HEAD = "person,hospital,county,scheme,from_month,to_month,age_years,chronic\n"

    def files(self, tmp_path, people: str, care: str = "") -> list[str]:
        (tmp_path / "people.csv").write_text(self.HEAD + people, encoding="utf-8")
        (tmp_path / "care.csv").write_text("hospital,own_yuan,outside_yuan\n" + care, encoding="utf-8")
        words = ["settle-year", "--pack", "taohuayuan", "--year", "2025", "--json"]
        return [*words, "--enrolments", str(tmp_path / "people.csv"), "--care", str(tmp_path / "care.csv")]

    def test_a_year_is_settled_and_posted_by_county(self, capsys, tmp_path, store_url) -> None:
        people = (
            "p1,H99000400002,990004,employee,202501,202512,40,false\n"
            "p2,H99000400002,990004,employee,202501,202512,40,true\n"
            "p3,H99000400002,990005,resident,202507,202512,40,false\n"
        )
        words = [*self.files(tmp_path, people, "H99000400002,800.00,100.00\n"), "--redis", store_url, "--post"]
        assert main(words) == 0
        data = json.loads(capsys.readouterr().out)
        result = data["institutions"][0]
        assert result["quota_fen"] == 42_000 + 67_200 + 13_000  # its contract says 260 yuan for residents
        assert result["settled_fen"] == 80_000 + (122_200 - 90_000) * 8 // 10
        assert (
            sum(row[-1] for row in data["counties_fen"]) == result["settled_fen"] == sum(r[-1] for r in data["posted"])
        )
        assert main(words) == 0
        assert json.loads(capsys.readouterr().out)["posted"] == []

    def test_a_consortium_shares_its_balance(self, capsys, tmp_path) -> None:
        people = (
            "p1,H99000400002,990004,employee,202501,202512,40,false\n"
            "p2,H99000500002,990005,employee,202501,202512,40,false\n"
        )
        words = self.files(tmp_path, people)
        (tmp_path / "care.csv").write_text(
            "hospital,own_yuan,outside_yuan,consortium\nH99000400002,500.00,0.00,east\nH99000500002,100.00,40.00,east\n",
            encoding="utf-8",
        )
        assert main(words) == 0
        data = json.loads(capsys.readouterr().out)
        assert [(row["name"], row["balance_fen"]) for row in data["institutions"]] == [("east", 84_000 - 64_000)]
        assert sum(row[-1] for row in data["counties_fen"]) == 60_000 + 16_000

    def test_months_that_overlap_and_an_unknown_county_are_named(self, capsys, tmp_path) -> None:
        people = (
            "13370001,H99000400002,990004,employee,202501,202512,40,false\n"
            "13370001,H99000500002,990088,employee,202506,202512,40,false\n"
        )
        assert main(self.files(tmp_path, people)) == 1
        shown = capsys.readouterr().err
        assert "months overlap another contract" in shown and "990088 is not a county" in shown
        assert "13370001" not in shown

    def test_packages_are_divided_by_outpatient_points(self, capsys, tmp_path, store_url) -> None:
        """Two schemes with a value each; what providers earn is what signers use is what counties pay."""
        people = (
            "p1,H99000400002,990004,employee,202501,202512,40,false\n"
            "p2,H99000500002,990005,employee,202501,202512,40,false\n"
            "p3,H99000400002,990005,resident,202501,202512,40,false\n"
        )
        words = self.files(tmp_path, people)[:-2]
        (tmp_path / "visits.csv").write_text(
            "signed_with,provider,scheme,points\nH99000400002,H99000400002,employee,30\n"
            "H99000400002,H99000100001,employee,10\n"
            "H99000500002,H99000500002,employee,27\nH99000400002,H99000400002,resident,2.5\n",
            encoding="utf-8",
        )
        words += ["--visits", str(tmp_path / "visits.csv"), "--redis", store_url, "--post"]
        assert main(words) == 0
        data = json.loads(capsys.readouterr().out)
        for scheme, total in (("310", 84_000), ("390", 26_000)):
            rows = data["schemes"][scheme]["institutions"]
            assert sum(row["used_fen"] for row in rows) == sum(row["earned_fen"] for row in rows) == total
            assert sum(row[-1] for row in data["counties_fen"] if row[1] == scheme) == total
        assert data["schemes"]["310"]["value_yuan"] == "12.537313"
        assert sum(row[-1] for row in data["posted"]) == 110_000
        assert main(words) == 0
        assert json.loads(capsys.readouterr().out)["posted"] == []
        (tmp_path / "visits.csv").write_text("signed_with,provider,scheme,points\nX,X,maternity,30\n", encoding="utf-8")
        assert main(words) == 1
        assert "scheme 510 has visits but nobody is signed" in capsys.readouterr().err

    def test_a_run_for_one_scheme_leaves_the_other(self, capsys, tmp_path, store_url) -> None:
        for scheme in ("employee", "resident"):
            words = self.files(tmp_path, f"p1,H99000400002,990004,{scheme},202501,202512,40,false\n")
            assert main([*words[:-2], "--redis", store_url, "--post"]) == 0
            posted = json.loads(capsys.readouterr().out)["posted"]
            assert [row[0] for row in posted] == [990004] and posted[0][-1] > 0

    PAST = "scheme,year,item,amount_yuan\n" + "".join(
        f"employee,{year},fund,1000000\nemployee,{year},spent,{spent}\n"
        for year, spent in ((2022, 280_000), (2023, 300_000), (2024, 310_000))
    )

    def test_a_budget_of_three_years_and_its_quota(self, capsys, tmp_path) -> None:
        """30.1 % of the fund (DER-17) with 5 % growth, less two deductions, over 1 + 1.6 weighted people."""
        (tmp_path / "past.csv").write_text(
            self.PAST + "employee,2025,fund,1200000\nemployee,2025,catastrophic,20000\nemployee,2025,signing,9260\n",
            encoding="utf-8",
        )
        people = "p1,A,990004,employee,202501,202512,40,false\np2,A,990004,employee,202501,202512,40,true\n"
        self.files(tmp_path, people)
        words = ["capitation", "budget", "--pack", "taohuayuan", "--year", "2025", "--past", str(tmp_path / "past.csv")]
        words += ["--enrolments", str(tmp_path / "people.csv")]
        assert main([*words, "--json"]) == 0
        found = json.loads(capsys.readouterr().out)["schemes"]["310"]
        assert found["weighted_ppm"] == 301_000
        assert found["budget_fen"] == 37_926_000 and found["package_fen"] == 35_000_000
        assert found["quota_fen"] == 35_000_000 * 10 // 26
        assert main(words) == 0
        assert "quota_per_person_yuan = 134615.38" in capsys.readouterr().out

    def test_a_budget_without_its_years_and_one_of_zero_are_named(self, capsys, tmp_path) -> None:
        path = tmp_path / "past.csv"
        words = ["capitation", "budget", "--pack", "taohuayuan", "--year", "2025", "--past", str(path)]
        path.write_text(self.PAST.replace("employee,2023,spent,300000\n", ""), encoding="utf-8")
        assert main(words) == 1
        assert "scheme 310 lacks spent of 2023, fund of 2025; add these rows" in capsys.readouterr().err
        path.write_text(self.PAST + "employee,2025,fund,0\n", encoding="utf-8")
        assert main(words) == 1
        assert "nothing is left of a budget of 0.00 yuan" in capsys.readouterr().err
