# ---
# about: Takes a momentum of 0 for one that isn't given.
# blind: true
# fails:
#   test_momentum: "v \u2190 momentum \xB7 v + g, then w \u2190 w - rate \xB7 v, with the new v"
# ---

# %% solution="momentum_step"
def momentum_step(value, gradient, velocity, rate, momentum=0.9):
    velocity = (momentum or 0.9) * velocity + gradient
    return value - rate * velocity, velocity
