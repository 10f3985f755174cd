"""Synthetic performers: people with exact Action Unit values, made from MakeHuman's figure and its face units."""
