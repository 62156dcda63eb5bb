"""Growing a shipped generator to twice the size, with stochastic detail in its noise."""
