"""Which galaxies deserve more votes, and their manifest for the Zooniverse."""
