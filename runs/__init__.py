"""Recipes: how the models of this project are made."""
