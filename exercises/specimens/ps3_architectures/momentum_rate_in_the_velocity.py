# ---
# about: Puts the rate into the velocity, which is wrong once the rate changes.
# fails:
#   test_momentum: 0.9 v + g
# ---

# %% solution="momentum_step"
def momentum_step(value, gradient, velocity, rate, momentum=0.9):
    """The new value and the new velocity: two tensors of the shape of value."""
    velocity = momentum * velocity + rate * gradient
    return value - velocity, velocity
