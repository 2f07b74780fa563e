# ---
# about: Returns numbers as texts, since all names are passed through str.
# blind: true
# fails:
#   test_shared_groups: for groups
# ---

# %% solution="shared_groups"
def shared_groups(groups, train, test):
    """The groups that have a picture in `train` and one in `test` (lists of positions)."""
    names = [str(name) for name in groups]
    both = {names[i] for i in train} & {names[j] for j in test}
    return [name for name in dict.fromkeys(names) if name in both]
