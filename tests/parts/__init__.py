"""Parts of a run that are computed elsewhere: what to compute, and the files that come back."""
