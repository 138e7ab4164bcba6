"""Tables in files: CSV, Parquet, FITS, VOTable and HATS, read and written."""
