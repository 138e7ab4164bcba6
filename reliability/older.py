"""What a worker preloads to be one of another version of Zoolens."""


def dask_setup(_: object) -> None:
    """As Dask calls it when a worker starts."""
    from zoolens.catalog.cluster import working

    working.code_version = lambda: "0.0.1"  # type: ignore[attr-defined]
