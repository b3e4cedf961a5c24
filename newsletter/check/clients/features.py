"""All features that some mail programs do not know, by key and by sign."""

from collections import defaultdict
from collections.abc import Mapping

from newsletter.check.clients.declared import DECLARED
from newsletter.check.clients.elements import ELEMENTS
from newsletter.check.clients.feature import Feature

#: Every feature by its key, in the order of the tables.
FEATURES: Mapping[str, Feature] = {feature.key: feature for feature in DECLARED + ELEMENTS}


def by_sign() -> Mapping[str, tuple[Feature, ...]]:
    """The features that a sign tells of."""
    index: dict[str, tuple[Feature, ...]] = defaultdict(tuple)
    for feature in FEATURES.values():
        for sign in feature.signs:
            index[sign] += (feature,)
    return dict(index)


def phrases() -> set[str]:
    """Everything that is said in words, for the translations."""
    return {words for feature in FEATURES.values() for words in (feature.loss, feature.instead) if words}
