"""The console script: parses, calls the engine, draws what comes back. Holds no logic of its own."""
