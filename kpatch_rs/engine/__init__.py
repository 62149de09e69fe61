"""The verbs' brains, on the model and on protocols only: no git, no make, no terminal."""
