# ---
# about: Gives copies of the parameters, which no optimiser can train.
# fails:
#   test_parameter_groups: "expected parameters"
#   test_transfer: "expected at least 45 %"
# ---

# %% solution="parameter_groups"
def parameter_groups(blocks, rate, factor):
    """Parameter groups for an optimiser, the last block's first; see above."""
    groups, taken = [], set()
    for block in reversed(blocks):
        learning = [p for p in block.parameters() if p.requires_grad and id(p) not in taken]
        if learning:
            groups.append(
                {"params": [nn.Parameter(p.detach().clone()) for p in learning], "lr": rate}
            )
            taken |= {id(p) for p in learning}
            rate *= factor
    return groups
