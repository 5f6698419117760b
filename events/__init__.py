"""The facts: types of events, their envelope and codec, the Merkle tree over them, and the store that keeps them."""
