"""What servers have in common: where they listen, how they end, how long they wait."""
