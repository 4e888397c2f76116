"""Where transfer stands: public sets, systems side by side, answers kept and marked afterwards."""
