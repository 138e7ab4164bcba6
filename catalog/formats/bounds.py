"""How much of a table that others made is read: more is refused, and never runs out of memory.

A few bytes can unpack to anything: equal rows take no room in Parquet, nor zeros in gzip.
"""

# rows of a table: twice those of the largest catalogue of votes or predictions, GZ DESI, which has
# 8.7 million galaxies (Walmsley et al. 2023, table 1)
MOST_ROWS = 20_000_000
# bytes of what is held at once: GZ DESI's fractions, as text of a CSV file, take five GiB
MOST_BYTES = 8 * 2**30
# bytes of the text in a block of rows, and of a row: a published row has some thousands
MOST_BLOCK_BYTES = 256 * 2**20
# what is wrong with a table, one entry a row or more: so many take 1 GB, and say that the table
# is of another kind than it was read as
MOST_FAULTS = 2_000_000
