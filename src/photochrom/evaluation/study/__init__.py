"""The human test: pairs (`design`), what people answered (`answers`), what it means (`verdict`).

Two-alternative forced choice after Zhang, Isola & Efros (2016): a real and a colored photo, one
second each, then free choice which one a machine has colored. 50 % fooled is the ceiling.
"""
