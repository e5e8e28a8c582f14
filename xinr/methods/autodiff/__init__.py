"""Values that carry their derivatives through code written for plain tensors."""
