"""Workers on other machines or processes, by Dask, that compute the parts of a run."""
