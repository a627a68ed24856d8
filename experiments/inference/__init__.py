"""Inference of strategies from recorded play: fingerprints and mixture models."""
