# ---
# about: Computes the rates as tensors.
# fails:
#   test_parameter_groups: "expected the rates"
# ---

# %% solution="parameter_groups"
def parameter_groups(blocks, rate, factor):
    """Parameter groups for an optimiser, the last block's first; see above."""
    groups, taken = [], set()
    rate = torch.tensor(rate)
    for block in reversed(blocks):
        learning = [p for p in block.parameters() if p.requires_grad and id(p) not in taken]
        if learning:
            groups.append({"params": learning, "lr": rate})
            taken |= {id(p) for p in learning}
            rate = rate * factor
    return groups
