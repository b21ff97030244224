"""The method: tensors in, tensors out. Imports no other part of this package; knows no paths, config or devices."""
