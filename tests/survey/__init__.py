"""A catalogue of catalogues: a survey that no one file holds, cut into pieces of the sky."""
