"""The PettingZoo environments: parallel and AEC form, observations in words, and the pages of the environments."""
