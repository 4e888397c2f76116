"""The names that DeepMoji was announced with in 2017, as thin faces of what does the work today."""
