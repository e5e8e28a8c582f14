"""Fields: sea surface height as a function of longitude, latitude and time, fitted or gridded."""
