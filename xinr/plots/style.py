"""Colours and sizes of figures."""

#: Colours for the colour-blind (Okabe & Ito), in the order of methods or missions.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")

DPI = 150
#: Sizes of titles and of labels [points].
TITLE, LABEL = 12, 10.5
