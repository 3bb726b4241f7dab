"""Functions of the nodes, one module for each layer."""
