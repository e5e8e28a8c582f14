"""Covariances of the signal, as values shared by the Gaussian-process methods.

Conventions: lengths in the unit of the frame (km, or degrees), times in days, ``sigma`` a standard deviation. The
Gaussian is ``exp(-r²)``, as in the data challenges and in pyinterp: its length scale is √2 times that of gpytorch or
scikit-learn, which write ``exp(-r²/2)``, and 2/√π = 1.128 times that of GSTools, which writes ``exp(-π r²/4)``.
"""

from xinr.methods.covariances.arhan_colin_de_verdiere import ArhanColinDeVerdiere
from xinr.methods.covariances.covariance import Covariance, Sum, check_covariance
from xinr.methods.covariances.gaussian import Gaussian
from xinr.methods.covariances.matern import Matern
from xinr.methods.covariances.spectral import Spectral

__all__ = ["ArhanColinDeVerdiere", "Covariance", "Gaussian", "Matern", "Spectral", "Sum", "check_covariance"]
