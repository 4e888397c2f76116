"""The map of emojis: which of them a model uses alike, as tree, groups, plane and neighbours."""
