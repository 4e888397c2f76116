"""Shards or labels to a bundle: the network in torch, its loop, and the export."""
