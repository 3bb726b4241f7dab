"""The project generator and its template trees."""
