"""Which strategies were played: fingerprints and mixture estimates from recorded play."""
