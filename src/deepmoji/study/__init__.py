"""Human agreement: does a model agree with what people say more often than one of them does."""
