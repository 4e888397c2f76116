from tests.helpers.published import hub, published, surroundings, tiny, web

__all__ = ["hub", "published", "surroundings", "tiny", "web"]
