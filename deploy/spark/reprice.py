"""Prices nested claims on Spark: the claims of a person come to one partition, in order, and are priced there.

    spark-submit --master URL deploy/spark/reprice.py --pack hangzhou --input DIR --output DIR [--partitions N]

docs/cluster.md says how the package and the packs come to the executors. An executor with other sources, another
pyarrow or other rules than the driver refuses its task.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from functools import partial

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

from adjudicator.reprice.mapping import own_names, read_mapping
from adjudicator.reprice.partitions import Rules, price_partition, result_schema, rules_of


def priced(claims: DataFrame, rules: Rules, partitions: int) -> DataFrame:
    """Return the settlements of nested claims (docs/reprice.md), one row a claim."""
    mapping = read_mapping(rules.mapping) if rules.mapping else own_names()
    wanted = {column.name for column in mapping.claim.values()} | {"lines", "accumulators"}
    claims = claims.select([name for name in claims.columns if name in wanted])
    person, date = (mapping.claim[name].name for name in ("person_id", "settlement_date"))
    in_order = claims.repartition(partitions, person).sortWithinPartitions(person, date)
    return in_order.mapInArrow(partial(price_rows, rules=rules), from_arrow_schema(result_schema()))


def price_rows(batches: Iterator[pa.RecordBatch], rules: Rules) -> Iterator[pa.RecordBatch]:
    """Price the claims of a partition."""
    return price_partition(batches, rules)


def main() -> None:
    """Read, price, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pack", action="append", required=True, help="pack by name, or by a folder of the executors")
    parser.add_argument("--mapping", default="", help="TOML file with the names of columns, or: national")
    parser.add_argument("--input", required=True, help="nested claims in Parquet")
    parser.add_argument("--output", required=True, help="folder of the results, which must not be there yet")
    parser.add_argument("--partitions", type=int, default=0, help="default: twice the cores of the executors")
    arguments = parser.parse_args()
    spark = SparkSession.builder.appName("adjudicator reprice").getOrCreate()
    partitions = arguments.partitions or 2 * spark.sparkContext.defaultParallelism
    rules = rules_of(arguments.pack, arguments.mapping)
    priced(spark.read.parquet(arguments.input), rules, partitions).write.parquet(arguments.output)
    spark.stop()


if __name__ == "__main__":
    main()
