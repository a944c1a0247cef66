"""From labelled sentences to an evaluated, registered model. Needs the `train` extra."""
