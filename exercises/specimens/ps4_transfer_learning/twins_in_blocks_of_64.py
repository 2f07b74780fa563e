# ---
# about: Leaves out the last of several blocks of test pictures.
# blind: true
# fails:
#   test_near_twins: 80 grey pictures
# ---

# %% solution="near_twins"
def near_twins(images, train, test, limit):
    numbers, pairs, test = images.double() / 255, [], sorted(test)
    for start in range(0, max(1, len(test) // 64)):
        block = test[64 * start : 64 * (start + 1)]
        for i in train:
            for j in block:
                a, b = numbers[i], numbers[j]
                d = min((a - b).square().mean().sqrt(), (a - b.flip(-1)).square().mean().sqrt())
                if d < limit:
                    pairs.append((i, j))
    return sorted(pairs)
