"""Places on the earth: coordinates of any Dataset, frames in which methods work, currents, differences on a grid."""
