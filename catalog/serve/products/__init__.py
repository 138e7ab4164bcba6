"""What is made of one galaxy: its image, maps, votes, counterparts, similar galaxies."""
