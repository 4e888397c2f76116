"""Where models come from and go to: documented addresses, model hubs, the cache between."""
