"""DataLink, Simple Image Access and cone search: the Virtual Observatory's ways to a galaxy."""
