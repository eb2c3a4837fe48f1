"""Vectors, systems and their spectra, with every sum in the order of the TypeScript library, so that results
have the same bits."""
