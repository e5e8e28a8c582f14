"""Functions of points with exact derivatives, of which fitted predictors are made."""
