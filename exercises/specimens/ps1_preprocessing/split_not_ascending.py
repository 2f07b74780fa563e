# ---
# about: "The positions are listed group by group and aren't ascending."
# blind: true
# fails:
#   test_split_by_group: have to ascend
# ---

# %% solution="split_by_group"
def split_by_group(groups, test_groups, seed):
    """Positions of the training and of the test pictures; no group is in both."""
    members = {}
    for position, group in enumerate(groups):
        members.setdefault(group, []).append(position)
    names = sorted(members)
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(names), generator=generator).tolist()
    train, test = [], []
    for rank, index in enumerate(order):
        (test if rank < test_groups else train).extend(members[names[index]])
    return train, test
