# ---
# about: Fills one list at each call, so that an earlier result changes.
# fails:
#   test_shared_groups: "a later call made"
# ---

# %% solution="shared_groups"
_SHARED = []


def shared_groups(groups, train, test):
    """The groups that have a picture in `train` and one in `test` (lists of positions)."""
    learned = {groups[i] for i in train}
    asked = {groups[j] for j in test}
    _SHARED[:] = [group for group in dict.fromkeys(groups) if group in learned and group in asked]
    return _SHARED
