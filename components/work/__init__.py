"""Units of work, and the engine (Apache Beam) that spreads them over workers."""
