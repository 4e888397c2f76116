"""Where transfer stands: public data sets, systems side by side, answers kept, marked afterwards."""
