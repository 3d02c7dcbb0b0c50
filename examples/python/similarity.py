"""Functions that compare texts by Python's difflib.

They are those of similarity.wit.
"""

from difflib import SequenceMatcher, unified_diff

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.similarity import Hit


class Similarity(exports.Similarity):
    def nearest(self, text, candidates, at_least):
        if not 0 <= at_least <= 1:
            raise Err(f"a score is from 0 to 1, not {at_least:g}")
        matcher = SequenceMatcher(b=text)
        hits = []
        for candidate in candidates:
            matcher.set_seq1(candidate)
            # cheap upper bounds first
            if matcher.real_quick_ratio() >= at_least and matcher.quick_ratio() >= at_least:
                score = matcher.ratio()
                if score >= at_least:
                    hits.append(Hit(candidate, score))
        return sorted(hits, key=lambda hit: hit.score, reverse=True)

    def changes(self, before, after):
        lines = unified_diff(
            before.splitlines(), after.splitlines(), "before", "after", lineterm=""
        )
        return "\n".join(lines) or None
