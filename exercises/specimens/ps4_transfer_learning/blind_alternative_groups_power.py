# ---
# about: "Right: parameter groups with an owner for each parameter and powers of the factor."
# blind: true
# ---

# %% solution="parameter_groups"
def parameter_groups(blocks, rate, factor):
    """Parameter groups for an optimiser, the last block's first; see above."""
    owner = {}
    for number, block in enumerate(blocks):
        for p in block.parameters():
            owner[id(p)] = number  # a later block takes it over
    result = []
    for number in range(len(blocks) - 1, -1, -1):
        mine = []
        for p in blocks[number].parameters():
            if p.requires_grad and owner[id(p)] == number:
                mine.append(p)
        if len(mine) > 0:
            result.append({"params": mine, "lr": rate * factor ** len(result)})
    return result
