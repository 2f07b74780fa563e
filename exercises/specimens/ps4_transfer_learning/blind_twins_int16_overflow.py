# ---
# about: Squares the differences as int16, in which squares above 32767 wrap around to negative
#   numbers.
# blind: true
# fails:
#   test_near_twins: a black picture
# ---

# %% solution="near_twins"
def near_twins(images, train, test, limit):
    """The sorted list of pairs (i, j) of near twins, i from `train` and j from `test`."""
    numbers = images.to(torch.int16)  # can be negative
    pairs = []
    for i in sorted(train):
        for j in sorted(test):
            for other in (numbers[j], numbers[j].flip(-1)):
                difference = numbers[i] - other
                distance = (difference * difference).double().mean().sqrt() / 255
                if distance < limit:
                    pairs.append((i, j))
                    break
    return pairs
