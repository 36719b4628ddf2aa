"""The metadata of an object."""


def merge_metadata(old: dict[str, str], new: dict[str, str]) -> dict[str, str]:
    """The metadata after an update: no new key at all means "unset everything"."""
    return {key: item for key, item in {**old, **new}.items() if item} if new else {}
