"""What people look at, whatever it is about: answers in a terminal, figures, pages."""
