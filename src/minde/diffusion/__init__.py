"""The method: tensors in, tensors out. Imports torch and nothing of ours; knows no paths, config or devices."""
