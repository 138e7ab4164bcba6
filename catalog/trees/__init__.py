"""Decision trees by name, from files, and told from columns."""
