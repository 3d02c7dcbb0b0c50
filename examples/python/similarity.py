"""Functions that compare texts by Python's difflib.

They are those of similarity.wit.
"""

from difflib import SequenceMatcher, unified_diff

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.similarity import Hit
from wit_world.imports import query


def hits(text, candidates, at_least):
    if not 0 <= at_least <= 1:
        raise Err(f"a score is from 0 to 1, not {at_least:g}")
    matcher = SequenceMatcher(b=text)
    for candidate in candidates:
        matcher.set_seq1(candidate)
        # cheap upper bounds first
        if matcher.real_quick_ratio() >= at_least and matcher.quick_ratio() >= at_least:
            score = matcher.ratio()
            if score >= at_least:
                yield Hit(candidate, score)


def best_first(hits):
    return sorted(hits, key=lambda hit: hit.score, reverse=True)


class Similarity(exports.Similarity):
    def nearest(self, text, candidates, at_least):
        return best_first(hits(text, candidates, at_least))

    def changes(self, before, after):
        lines = unified_diff(
            before.splitlines(), after.splitlines(), "before", "after", lineterm=""
        )
        return "\n".join(lines) or None


def names(people):
    sql = "SELECT name FROM city WHERE people >= $1"
    with query.open(sql, [query.Value_Int(people)]) as cursor:
        while rows := cursor.fetch(1000):
            for (name,) in rows:
                yield name.value


class Cities(exports.Cities):
    def search(self, text, people, at_least):
        return best_first(hits(text, names(people), at_least))

    def visit(self, city):
        try:
            query.try_execute("INSERT INTO visit VALUES ($1)", [query.Value_Text(city)])
        except Err as error:
            if error.value.sqlstate == "23503":
                nearest = best_first(hits(city, names(0), 0.6))
                if nearest:
                    error.value.hint = f'Perhaps you mean "{nearest[0].candidate}".'
            raise
