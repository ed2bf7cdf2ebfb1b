"""The one prover of rule tables: which claims no rule takes, which claims several rules take, which rule takes none.

A rule is a box: on every dimension (scheme, kind of care, level, day …) it accepts some values, whatever the others
are. Values that no rule tells apart are one *atom* of a dimension, with the bit mask of the rules that accept it. The
rules that take a claim are then the mask ``a1 & a2 & …`` of its atoms; combining dimension by dimension and keeping
each mask once reaches every kind of claim without listing them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

Label = Callable[[Sequence[Any], str], list[str]]
"""Values of a dimension and a language ("en" or "zh") to what they are called, joined where one word names several."""


class Atom(NamedTuple):
    """Values of a dimension that no rule tells apart, and the rules that accept them."""

    values: tuple[Any, ...]
    mask: int


class Dimension(NamedTuple):
    """One thing that rules ask of a claim."""

    atoms: Sequence[Atom]
    label: Label


Choice = tuple[int, ...]
"""One atom of each dimension, by its position."""
Box = tuple[frozenset[int], ...]
"""Some atoms of each dimension."""


def dimension_of(values: Iterable[Any], accepted: Sequence[Collection[Any] | None], label: Label) -> Dimension:
    """Return a dimension; ``accepted``: what each rule accepts, None for everything.

    >>> [atom.mask for atom in dimension_of([1, 2, 3], [{1, 2}, None], lambda some, _: [str(some)]).atoms]
    [3, 2]
    """
    by_mask: dict[int, list[Any]] = {}
    for value in values:
        mask = sum(1 << n for n, some in enumerate(accepted) if some is None or value in some)
        by_mask.setdefault(mask, []).append(value)
    return Dimension([Atom(tuple(some), mask) for mask, some in by_mask.items()], label)


def kinds_of_claims(rules: int, dimensions: Sequence[Dimension]) -> dict[int, Choice]:
    """Return every set of rules that some claim meets, as a bit mask, with the first such claim."""
    found: dict[int, Choice] = {(1 << rules) - 1: ()}
    for dimension in dimensions:
        grown: dict[int, Choice] = {}
        for mask, choice in found.items():
            for position, atom in enumerate(dimension.atoms):
                grown.setdefault(mask & atom.mask, (*choice, position))
        found = grown
    return found


def holes(rules: int, dimensions: Sequence[Dimension]) -> Iterator[tuple[Choice, Box]]:
    """Yield claims that no rule takes, each with the hole around it, until every such claim is in one of the holes."""
    left = list(dimensions)
    found = rules
    while (choice := kinds_of_claims(found, left).get(0)) is not None:
        box = widened(choice, dimensions)
        yield choice, box
        left = [
            Dimension([Atom(atom.values, atom.mask | (n in chosen) << found) for n, atom in enumerate(atoms)], label)
            for (atoms, label), chosen in zip(left, box, strict=True)
        ]
        found += 1


def widened(choice: Choice, dimensions: Sequence[Dimension]) -> Box:
    """Return the hole around a claim that no rule takes: no atom can be added to any of its dimensions.

    A rule meets a box exactly where it accepts some atom on each dimension, so a box is a hole where no rule does.
    """
    box = [{position} for position in choice]
    met = [dimension.atoms[position].mask for position, dimension in zip(choice, dimensions, strict=True)]
    for number, dimension in enumerate(dimensions):
        others = -1
        for place, mask in enumerate(met):
            others &= mask if place != number else -1
        for position, atom in enumerate(dimension.atoms):
            if not others & atom.mask:
                box[number].add(position)
                met[number] |= atom.mask
    return tuple(frozenset(chosen) for chosen in box)


def words_of(box: Box, dimensions: Sequence[Dimension], language: str) -> list[list[str]]:
    """Return what a box is called: for each dimension that it does not fill, its values."""
    words = []
    for chosen, (atoms, label) in zip(box, dimensions, strict=True):
        if len(chosen) < len(atoms):
            words.append(label([value for n in sorted(chosen) for value in atoms[n].values], language))
    return [some for some in words if some]


def example_of(choice: Choice, dimensions: Sequence[Dimension], language: str) -> list[str]:
    """Return what one claim is called, by the first value of each atom."""
    words: list[str] = []
    for position, (atoms, label) in zip(choice, dimensions, strict=True):
        if len(atoms) > 1:
            words += label(atoms[position].values[:1], language)[:1]
    return words


def smallest_example(choice: Choice, dimensions: Sequence[Dimension], language: str) -> list[str]:
    """Return the words of a claim that no rule takes, without those that do not matter to it."""
    box = widened(choice, dimensions)
    narrow = [n for n, dimension in enumerate(dimensions) if len(box[n]) < len(dimension.atoms)]
    return example_of(tuple(choice[n] for n in narrow), [dimensions[n] for n in narrow], language)
