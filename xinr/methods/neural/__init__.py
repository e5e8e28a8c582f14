"""Neural fields: small networks of position and time, trained on the tracks."""
