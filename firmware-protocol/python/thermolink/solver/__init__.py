"""Algorithms on a board: relax, sample, solve."""
