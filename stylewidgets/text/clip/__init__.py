"""Public CLIP networks (Radford et al., "Learning transferable visual models from natural language supervision", 2021)."""
