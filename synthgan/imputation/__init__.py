"""Cells filled, and cells told that do not fit: a game's proposals, refined by boosted trees."""
