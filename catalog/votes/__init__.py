"""Volunteers' votes: the layouts of published tables, their checks, and which votes stand."""
