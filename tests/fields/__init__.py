"""What the library of models comes to in four fields, on real data beside named baselines: `make fields`."""
