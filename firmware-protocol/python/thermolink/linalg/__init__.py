"""Vectors, systems and their spectra. Every sum has the order of the TypeScript library, so results have the
same bits."""
